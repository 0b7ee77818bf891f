-- One step through the history of an object, as long as the session may read the object.
-- Arguments: client, accepted, of what classes it may be (rights.lua); id, how many to pass over, at most.
-- Returns client | ok, session | ok, session, ref, list of states, what the session may not see of them: list
--         of column, "-".
local client, accepted, classes, id = arg(), arg_number(), arg_restricted(), arg()
local pass, most = arg_number(), arg_number()

local sid = session_of(client, accepted)
if not sid then
  return { 'client' }
end
for _, class in ipairs(classes) do
  local ref = class .. ':' .. id
  if is_live(ref) then
    if not may_read(sid, ref, classes) then
      break
    end
    local hidden = {}
    for _, column in ipairs(hidden_columns(sid, ref, classes)) do
      table.insert(hidden, column)
      table.insert(hidden, '-')
    end
    return { 'ok', sid, ref, redis.call('LRANGE', object_key(ref, ':h'), pass, pass + most - 1), hidden }
  end
end
return { 'ok', sid }
