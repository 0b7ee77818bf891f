-- One step through the history of an object, as long as the session may read the object.
-- Arguments: client, accepted, list of class, rule, owner field; id, how many to pass over, at most.
-- Returns client | ok, session | ok, session, ref, list of states.
local client, accepted, classes, id = arg(), arg_number(), arg_list(), arg()
local pass, most = arg_number(), arg_number()

local sid = session_of(client, accepted)
if not sid then
  return { 'client' }
end
for i = 1, #classes, 3 do
  local ref = classes[i] .. ':' .. id
  if is_live(ref) then
    if not allowed(sid, classes[i + 1], field_text(ref, classes[i + 2])) then
      break
    end
    return { 'ok', sid, ref, redis.call('LRANGE', object_key(ref, ':h'), pass, pass + most - 1) }
  end
end
return { 'ok', sid }
