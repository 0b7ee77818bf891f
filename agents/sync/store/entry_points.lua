-- Where a user of the content protocol begins: looks up the entry points, and makes those that are
-- missing and may be made. Done again it finds them.
-- Arguments: all listings, all children, watchers, user, now, lease until; then, to the end, for each entry
--   point its kind and
--   self
--   field   its column
--   own     lineage, id for a new one (if an integer is taken, the next), what arg_new() reads
--   fixed   the same, whether it may be made (1 or 0), whether the user joins it (1 or 0) and, if so, the
--           same of the join object
-- Returns list of class, id ("", "" where there is none), jobs, cascade.
local user, now, lease = arg(), arg_number(), arg()

local function arg_one()
  local lineage, id = arg_lineage(), arg()
  return arg_new(lineage, id)
end

-- Also what was removed is made again where it is missed. Nil: it cannot be made.
local function make(new)
  if new_refusal(new) then
    return nil
  end
  local gone = new.id ~= '' and redis.call('HGET', object_key(new_ref(new)), '@v')
  local version = gone and gone + 1 or 1
  local ref = new_make(new, now, nil, version)
  if new.lineage.numeric then
    object_count_on(new.lineage, new.id)
  end
  fan_out(ref, 'u', version, new.lineage, '', 1, lease)
  return ref
end

local function make_unless_there(new)
  local ref = new_ref(new)
  return is_live(ref) and ref or make(new)
end

-- The user's place in an entry point. Where that was removed, and is there again, so is the place in it.
local function join(new)
  local ref, values, lost = new_ref(new), new.values, false
  if not is_live(ref) then
    return make(new)
  end
  for i = 1, #values, 3 do
    lost = lost or (values[i + 2] ~= '' and refs_of(ref, values[i]) == '')
  end
  if lost and not new_refusal(new) then
    local version = object_change(new.lineage, ref, now, values, new.indexes, nil)
    fan_out(ref, 'u', version, new.lineage, '', 1, lease)
  end
end

-- Each reads its arguments, and returns what finds the entry point.
local kinds, joins = {}, {}

function kinds.self()
  return function()
    return object_of_user(user)
  end
end

function kinds.field()
  local field = arg()
  return function()
    local me = object_of_user(user)
    return me and string.match(refs_of(me, field), '^[^\n]+')
  end
end

function kinds.own()
  local new = arg_one()
  return function()
    local id = own_object(user, new.lineage.names[1])
    if id then
      return new.lineage.names[1] .. ':' .. id
    end
    if is_live(new_ref(new)) then -- somebody else's
      new.id = ''
    end
    local ref = make(new)
    if ref then
      object_give(ref, user)
    end
    return ref
  end
end

function kinds.fixed()
  local new, may_make = arg_one(), arg() == '1'
  if arg() == '1' then
    table.insert(joins, arg_one())
  end
  return function()
    return may_make and make_unless_there(new) or is_live(new_ref(new)) and new_ref(new)
  end
end

local find, found = {}, {}
while taken < #ARGV do
  table.insert(find, kinds[arg()]())
end

-- They may refer to each other: as long as another one is there, those that are missing are tried again.
local function find_all()
  local more = false
  for i in ipairs(find) do
    local ref = not found[i] and find[i]()
    if ref then
      found[i], more = ref, true
    end
  end
  return more
end
while find_all() do end
for _, new in ipairs(joins) do
  join(new)
end
listings_refresh(now, lease)
children.refresh('', 1, now, lease)
watchers.refresh(lease)

local parts = {}
for i in ipairs(find) do
  local class, id = class_and_id(found[i] or ':')
  table.insert(parts, class)
  table.insert(parts, id)
end
return { parts, jobs, cascade }
