-- "putObject": merge by field (design section 8). A field takes a value whose put time is not older
-- than the one that last set it; an equal value moves nothing.
-- Arguments: those of write.lua, put time, then a list of field, text, refs, and the indexes.
-- Returns client | again, sid, outcome | forbidden | missing | reference, sid, ref |
--         full, sid, field | unique, sid, index | stale | same, sid, version |
--         ok, sid, version, jobs, cascade. Version 0: some fields were stale, so that the state which
--         the writer holds for true from the answer on, the first time and later, has never been.
local time = math.min(arg_number(), accepted)
local list, indexes = arg_list(), arg_indexes()
local ref = class .. ':' .. id

local state = redis.call('HMGET', object_key(ref), '@v', '@c')
if not state[2] then
  return finish('missing')
end
if not allowed(sid, rule, field_text(ref, owner)) then
  return finish('forbidden')
end

local taken_fields, changed, stale = {}, {}, false
for i = 1, #list, 3 do
  local field, text, refs = list[i], list[i + 1], list[i + 2]
  local _, set_at, old = field_parts(redis.call('HGET', object_key(ref), field))
  if text ~= (old or 'null') then
    if time < (set_at or tonumber(state[2])) then
      stale = true
    else
      local refusal, said = reference_refusal(field, refs)
      if refusal then
        return finish(refusal, said)
      end
      table.insert(taken_fields, i)
      changed[field] = text
    end
  end
end
if #taken_fields == 0 then
  return finish(stale and 'stale' or 'same', state[1])
end

local function text_of(field)
  return changed[field] or field_text(ref, field)
end
local conflict = index_conflict(ref, indexes, changed, text_of)
if conflict then
  return finish('unique', conflict.name)
end

local version = redis.call('HINCRBY', object_key(ref), '@v', 1)
for _, i in ipairs(taken_fields) do
  field_set(ref, list[i], version, time, list[i + 1], list[i + 2])
end
if #indexes > 0 then
  index_place(ref, object_score(lineage, id), indexes, changed, text_of)
end
history_add(lineage, ref, accepted, sid)
fan_out(ref, 'u', version, lineage, sid, stale and 0 or 1, lease)
return finish_changed(stale and 0 or version)
