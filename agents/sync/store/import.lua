-- "importObjects", one object: makes it, also where one was removed, or changes what differs, as a put
-- of this moment would. References are taken whether they lead somewhere or not, since their objects
-- may be imported later; settle_reference.lua is asked in the end. It is the operator's: no rights.
-- Arguments: all listings, all children, watchers, now, lease until, lineage, id, version and time of creation of
-- a new object, id of the user to whom it belongs ("": not told), fields that are lists, then lists of
-- field, text, refs: what is given, and the defaults of a new object; whether a required field is
-- missing (1 or 0), the furthest parent as for create.lua, indexes.
-- Returns required | taken, class | unique, index | same, broken | created, broken, jobs, cascade |
--         changed, broken, jobs, cascade; broken is a list of field, ref for each reference that leads
--         nowhere yet.
local now, lease = arg_number(), arg()
local lineage, id = arg_lineage(), arg()
local version, created, user = arg_number(), arg(), arg()
local unset = {}
for _, field in ipairs(arg_list()) do
  unset[field] = '[]'
end
local given, defaults = arg_list(), arg_list()
local incomplete, family, indexes = arg() == '1', arg(), arg_indexes()
local class = lineage.names[1]
local ref = class .. ':' .. id

local there = is_live(ref)
local values, changed = {}, {}
local function take(list)
  for i = 1, #list, 3 do
    local field, text = list[i], list[i + 1]
    if text ~= (field_text(ref, field) or unset[field] or 'null') then
      changed[field] = text
      table.insert(values, field)
      table.insert(values, text)
      table.insert(values, list[i + 2])
    end
  end
end
take(given)
if not there then
  take(defaults)
end
local given_away = user ~= '' and not belongs_to(ref, user)
local function text_of(field)
  return changed[field] or field_text(ref, field)
end

if not there and incomplete then
  return { 'required' }
end
local namesake = not there and object_namesake(lineage, family, id)
if namesake then
  return { 'taken', namesake }
end
local conflict = index_conflict(ref, indexes, changed, text_of)
if conflict then
  return { 'unique', conflict.name }
end

local broken = {}
for i = 1, #given, 3 do
  each_ref(given[i + 2], function(target)
    if target ~= ref and not is_live(target) then
      table.insert(broken, given[i])
      table.insert(broken, target)
    end
  end)
end

local function make()
  local gone = redis.call('HGET', object_key(ref), '@v')
  version = math.max(version, gone and gone + 1 or 1)
  object_create(lineage, id, now, values, indexes, version)
  redis.call('HSET', object_key(ref), '@c', created, '@b', now)
  if lineage.numeric then
    object_count_on(lineage, id)
  end
  object_number_on(lineage, id)
end

local function change()
  version = redis.call('HINCRBY', object_key(ref), '@v', 1)
  for i = 1, #values, 3 do
    field_set(ref, values[i], version, now, values[i + 1], values[i + 2])
  end
  if #indexes > 0 then
    index_place(ref, object_score(lineage, id), indexes, changed, text_of)
  end
end

if there and #values == 0 and not given_away then
  return { 'same', broken }
elseif there then
  change()
else
  make()
end
if given_away then
  object_give(ref, user)
end
history_add(lineage, ref, now, nil)
fan_out(ref, 'u', version, lineage, '', 1, lease)
if not there then
  touch(ref) -- it may have been referred to before
end
listings_refresh(now, lease)
children.refresh('', 1, now, lease)
watchers.refresh(lease)
return { there and 'changed' or 'created', broken, jobs, cascade }
