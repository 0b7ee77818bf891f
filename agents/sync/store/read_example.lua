-- One step of a search by example: walks an index, or all objects of a class, in the order of ids. What the
-- session may not see of an object is no match.
-- Arguments: client, accepted, of what classes an object may be (rights.lua);
-- class that was asked for, rule: who may ask, watch (1: what is found is watched from that very
-- version; or 0), the index to walk (a list of one or none), the most objects that may be
-- in it (-1: any number), whether ids are numbers (1 or 0), the member behind which to go on ("": at
-- the first), how many to look at, how many to find, list of field, text.
-- Returns client | forbidden, session | unbuilt, session: the index cannot be used | expensive, session |
--         ok, session, list of ref, fields; the member behind which to go on.
local MOST_BYTES = 1048576 -- beyond, the rest is for the next step

local client, accepted, classes = arg(), arg_number(), arg_restricted()
local class, rule, wants_watch = arg(), arg(), arg() == '1'
local indexes, holds, numeric = arg_indexes(), arg_number(), arg() == '1'
local last, most, wanted, example = arg(), arg_number(), arg_number(), arg_list()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
if not allowed(sid, rule, nil) then
  return { 'forbidden', sid }
end

local fields, texts = {}, {}
for i = 1, #example, 2 do
  table.insert(fields, example[i])
  texts[example[i]] = example[i + 1]
end
local key = class_key(class, ':ids')
if indexes[1] then
  if last == '' and not index_is_built(indexes[1]) then
    return { 'unbuilt', sid }
  end
  key = index_key(indexes[1], function(field)
    return texts[field]
  end)
end
if holds >= 0 and last == '' and redis.call('ZCARD', key) > holds then
  return { 'expensive', sid }
end

local function matches(ref)
  local values = fields[1] and redis.call('HMGET', object_key(ref), unpack(fields)) or {}
  for i, field in ipairs(fields) do
    local _, _, text = field_parts(values[i])
    if text ~= texts[field] or not may_see(sid, ref, field, classes) then
      return false
    end
  end
  return true
end

local found, bytes = {}, 0
local function find(ref)
  local object = fields_for(sid, ref, classes)
  for _, part in ipairs(object) do
    bytes = bytes + #part
  end
  if wants_watch and not ended then
    watch(sid, ref)
  end
  table.insert(found, ref)
  table.insert(found, object)
end

local rank = last == '' and 0 or rank_behind(key, last, numeric)
local members = redis.call('ZRANGE', key, rank, rank + most - 1)
for i, member in ipairs(members) do
  local id, actual = string.match(member, '^(.*)\n(.*)$')
  local ref = actual .. ':' .. id
  if classes[actual] and matches(ref) and may_read(sid, ref, classes) then
    find(ref)
  end
  if #found >= wanted * 2 or bytes > MOST_BYTES or rule_paths.went_far() then
    return { 'ok', sid, found, member }
  end
end
return { 'ok', sid, found, #members == most and members[most] or '' }
