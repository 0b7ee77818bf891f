-- "createObject".
-- Arguments: those of written.lua (id "" asks for the next integer), what arg_new() reads, and the
-- guards of what is given.
-- Returns client | again, sid, outcome | forbidden | guarded, sid, field | removed | taken, sid, class |
--         reference, sid, ref | full, sid, field | unique, sid, index | existing, sid, id, fields |
--         ok, sid, id, jobs, cascade; in a line behind the id the columns that its maker may not see, apart
--         by ",".
local new = arg_new(lineage, id)
local guards = arg_list()

if not allowed_new(sid, rule, class, new.values) then
  return finish('forbidden')
end
if id ~= '' then
  local ref = new_ref(new)
  local there = redis.call('HMGET', object_key(ref), '@c', '@d')
  if there[1] then
    if not may_read(sid, ref, restricted) then
      return finish('forbidden')
    end
    if not ended then
      watch(sid, ref)
    end
    return { 'existing', sid, id, fields_for(sid, ref, restricted) }
  elseif there[2] then
    return finish('removed')
  end
end
local guarded = guarded_new(sid, guards, class, new.values)
if guarded then
  return finish('guarded', guarded)
end
local refusal, said = new_refusal(new)
if refusal then
  return finish(refusal, said)
end

local ref = new_make(new, accepted, sid)
if not ended and may_read(sid, ref, restricted) then
  watch(sid, ref)
end
fan_out(ref, 'u', 1, lineage, sid, 1, lease)
return finish_changed(new.id .. '\n' .. hidden_of(sid, ref, restricted), 1)
