-- "createObject": everything is checked before the first write, since an error rolls nothing back.
-- Arguments: those of write.lua (id "" asks for the next integer), then a list of
-- field, text, refs for each value that is not null, the indexes, rule and owner field for reads,
-- and the furthest parent, "" if no other class has objects that it finds.
-- Returns client | again, sid, outcome | forbidden | removed | taken, sid, class | reference, sid, ref |
--         full, sid, field | unique, sid, index | existing, sid, id, fields |
--         ok, sid, id, jobs, cascade.
local list, indexes = arg_list(), arg_indexes()
local read_rule, read_owner, family = arg(), arg(), arg()
local text_of = text_among(list)

if not allowed(sid, rule, text_of(owner)) then
  return finish('forbidden')
end
if id ~= '' then
  local ref = class .. ':' .. id
  local there = redis.call('HMGET', object_key(ref), '@c', '@d')
  if there[1] then
    if not allowed(sid, read_rule, field_text(ref, read_owner)) then
      return finish('forbidden')
    end
    if not ended then
      watch(sid, ref)
    end
    return { 'existing', sid, id, redis.call('HGETALL', object_key(ref)) }
  elseif there[2] then
    return finish('removed')
  end
  local namesake = object_namesake(lineage, family, id)
  if namesake then
    return finish('taken', namesake)
  end
end
for i = 1, #list, 3 do
  local refusal, said = reference_refusal(list[i], list[i + 2])
  if refusal then
    return finish(refusal, said)
  end
end

local conflict = index_conflict(nil, indexes, nil, text_of)
if conflict then
  return finish('unique', conflict.name)
end

if id == '' then
  id = object_next_id(lineage)
end
local ref = object_create(lineage, id, accepted, list, indexes)
history_add(lineage, ref, accepted, sid)
if not ended then
  watch(sid, ref)
end
fan_out(ref, 'u', 1, lineage, sid, 1, lease)
return finish_changed(id, 1)
