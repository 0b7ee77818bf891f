-- References. What an object refers to stands beside each relation, as "@r:<field>": refs,
-- newline-separated. What refers to it is listed at it, in {o:<ref>}:r, as "<field>\n<ref>", so that
-- its removal finds them.

local function field_and_ref(entry)
  return string.match(entry, '^(.-)\n(.*)$')
end

-- Between what the entries of one field and class stand: ";" comes behind ":".
local function references_range(field, class)
  local from = field .. '\n' .. class
  return '[' .. from .. ':', '(' .. from .. ';'
end

local function each_ref(refs, visit)
  for ref in string.gmatch(refs or '', '[^\n]+') do
    visit(ref)
  end
end

-- Those of `refs` that are not among `others`, each once.
local function refs_gained(others, refs)
  if not string.find(others .. refs, '\n', 1, true) then -- one at most, so no set is needed
    return refs ~= '' and refs ~= others and { refs } or {}
  end
  local known, gained = {}, {}
  each_ref(others, function(ref)
    known[ref] = true
  end)
  each_ref(refs, function(ref)
    if not known[ref] then
      known[ref] = true
      table.insert(gained, ref)
    end
  end)
  return gained
end

local function refs_of(ref, field)
  return redis.call('HGET', object_key(ref), '@r:' .. field) or ''
end

-- Hears of each reference that an object has got or lost (listing.lua); nil: nobody minds.
local reference_changed = nil

local function references_set(ref, field, refs)
  local before = refs_of(ref, field)
  if before == refs then
    return
  end
  for _, target in ipairs(refs_gained(refs, before)) do
    redis.call('ZREM', object_key(target, ':r'), field .. '\n' .. ref)
    if reference_changed then
      reference_changed(ref, field, target)
    end
  end
  for _, target in ipairs(refs_gained(before, refs)) do
    redis.call('ZADD', object_key(target, ':r'), 0, field .. '\n' .. ref)
    if reference_changed then
      reference_changed(ref, field, target)
    end
  end
  if refs == '' then
    redis.call('HDEL', object_key(ref), '@r:' .. field)
  else
    redis.call('HSET', object_key(ref), '@r:' .. field, refs)
  end
end
