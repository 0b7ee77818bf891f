-- References. What an object refers to stands beside each relation, as "@r:<field>": refs,
-- newline-separated. What refers to it is listed at it, in {o:<ref>}:r, as "<field>\n<ref>", so that
-- its removal finds them.

local function each_ref(refs, visit)
  for ref in string.gmatch(refs or '', '[^\n]+') do
    visit(ref)
  end
end

-- Those of `refs` that are not among `others`, each once.
local function each_gained(others, refs, visit)
  local known = {}
  each_ref(others, function(ref)
    known[ref] = true
  end)
  each_ref(refs, function(ref)
    if not known[ref] then
      known[ref] = true
      visit(ref)
    end
  end)
end

local function refs_of(ref, field)
  return redis.call('HGET', object_key(ref), '@r:' .. field) or ''
end

-- Listed fields that this script may have to set anew; arg_listings() fills it.
local listings = {}

-- Objects whose listed fields may have got other members, each once, in the order of the changes.
local touched = {}
local function touch(ref)
  if not touched[ref] then
    touched[ref] = true
    table.insert(touched, ref)
  end
end

-- `ref` has begun or ceased to refer to `target`: who lists it, or lists the target through it?
local function touch_listers(ref, field, target)
  for _, listing in ipairs(listings) do
    local inverse = listing.inverse_of[class_and_id(ref)]
    if inverse == field then
      touch(target)
    elseif inverse and listing.onward == field then
      each_ref(refs_of(ref, inverse), touch)
    end
  end
end

local function references_set(ref, field, refs)
  local before = refs_of(ref, field)
  if before == refs then
    return
  end
  each_gained(refs, before, function(target)
    redis.call('ZREM', object_key(target, ':r'), field .. '\n' .. ref)
    touch_listers(ref, field, target)
  end)
  each_gained(before, refs, function(target)
    redis.call('ZADD', object_key(target, ':r'), 0, field .. '\n' .. ref)
    touch_listers(ref, field, target)
  end)
  if refs == '' then
    redis.call('HDEL', object_key(ref), '@r:' .. field)
  else
    redis.call('HSET', object_key(ref), '@r:' .. field, refs)
  end
end
