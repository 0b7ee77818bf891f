-- "putObject" and the commit of "patch_content": merge by field (design section 8). A field takes a value
-- whose put time is not older than the one that last set it; an equal value moves nothing. Whoever says
-- which state they change knows it, so their fields are never stale.
-- Arguments: those of write.lua, put time, then a list of field, text, refs, and the indexes; the state
--   that this is a change of, as "<version> <birth>" ("": whichever there is); whether the writer is told
--   like everybody else (1 or 0); limits of earlier texts.
-- Returns client | again, sid, outcome | forbidden | missing | conflict | reference, sid, ref |
--         full, sid, field | unique, sid, index | stale | same, sid, state |
--         ok, sid, state, jobs, cascade. state: "<version> <birth>"; version 0: some fields were stale, so
--         that the state which the writer holds for true from the answer on, the first time and later,
--         has never been. A conflict is not kept, since the request may be tried again.
local time = math.min(arg_number(), accepted)
local list, indexes = arg_list(), arg_indexes()
local expected, tells_writer, earlier_limits = arg(), arg() == '1', arg_earlier_limits()
local ref = class .. ':' .. id

local version, birth, created = object_state(ref)
if not version then
  return finish('missing')
end
if not allowed(sid, rule, field_text(ref, owner)) then
  return finish('forbidden')
end
if expected ~= '' and expected ~= version .. ' ' .. birth then
  return { 'conflict', sid }
end

local taken_fields, before, changed, stale = {}, {}, {}, false
for i = 1, #list, 3 do
  local field, text, refs = list[i], list[i + 1], list[i + 2]
  local set_in, set_at, old = field_parts(redis.call('HGET', object_key(ref), field))
  if text ~= (old or 'null') then
    if expected == '' and time < (set_at or created) then
      stale = true
    else
      local refusal, said = reference_refusal(ref, field, refs)
      if refusal then
        return finish(refusal, said)
      end
      table.insert(taken_fields, i)
      before[i] = { set_in = set_in, set_at = set_at or created, text = old }
      changed[field] = text
    end
  end
end
if #taken_fields == 0 then
  return finish(stale and 'stale' or 'same', version .. ' ' .. birth)
end

local function text_of(field)
  return changed[field] or field_text(ref, field)
end
local conflict = index_conflict(ref, indexes, changed, text_of)
if conflict then
  return finish('unique', conflict.name)
end

version = redis.call('HINCRBY', object_key(ref), '@v', 1)
local complete = (stale or tells_writer) and 0 or 1
for _, i in ipairs(taken_fields) do
  local field, old = list[i], before[i]
  if old.text then
    earlier_keep(ref, field, old.set_in, version, old.text, earlier_limits)
  end
  field_set(ref, field, version, math.max(time, old.set_at), list[i + 1], list[i + 2])
end
if #indexes > 0 then
  index_place(ref, object_score(lineage, id), indexes, changed, text_of)
end
history_add(lineage, ref, accepted, sid)
fan_out(ref, 'u', version, lineage, sid, complete, lease)
return finish_changed((stale and 0 or version) .. ' ' .. birth, complete)
