-- Puts (design section 8, "Merge by field"): a field takes a value whose put time is not older than the one
-- that last set it; an equal value moves nothing. Everything is checked before the first write.

-- Who may write an object may not therefore read it.
local function writer_sees(ref, field)
  return may_read(sid, ref, restricted) and may_see(sid, ref, field, restricted)
end

-- What these values (list of field, text, refs) would change in an object that was created then; `stale`:
-- some field was set by a newer put, which does not happen to whoever knows the state that is changed
-- (`is_exact`), but is said of a field that the writer may not see, whatever is in it. nil, an outcome and what is said beside it if an object may not refer to what it would.
local function put_begin(ref, created, list, time, is_exact)
  local put = { ref = ref, list = list, time = time, taken = {}, before = {}, changed = {} }
  for i = 1, #list, 3 do
    local field, text, refs = list[i], list[i + 1], list[i + 2]
    local set_in, set_at, old = field_parts(redis.call('HGET', object_key(ref), field))
    local moves, is_late = text ~= (old or 'null'), not is_exact and time < (set_at or created)
    if is_late and (moves or not writer_sees(ref, field)) then
      put.stale = true
    elseif moves then
      local refusal, said = reference_refusal(ref, field, refs)
      if refusal then
        return nil, refusal, said
      end
      table.insert(put.taken, i)
      put.before[i] = { set_in = set_in, set_at = set_at or created, text = old }
      put.changed[field] = text
    end
  end
  return put
end

-- The text of a field as it will be.
local function put_text_of(put)
  return function(field)
    return put.changed[field] or field_text(put.ref, field)
  end
end

-- Makes the change, which is not empty, in the name of a session. Returns the version; that it is told is
-- the caller's to order.
local function put_apply(put, lineage, indexes, sid, now, earlier_limits)
  local ref, version = put.ref, object_step(put.ref)
  for _, i in ipairs(put.taken) do
    local field, old = put.list[i], put.before[i]
    if old.text then
      earlier_keep(ref, field, old.set_in, version, old.text, earlier_limits)
    end
    field_set(ref, field, version, math.max(put.time, old.set_at), put.list[i + 1], put.list[i + 2])
  end
  if #indexes > 0 then
    local _, id = class_and_id(ref)
    index_place(ref, object_score(lineage, id), indexes, put.changed, put_text_of(put))
  end
  history_add(lineage, ref, now, sid)
  return version
end
