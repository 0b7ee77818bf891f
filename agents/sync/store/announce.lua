-- "announce": the gateway holds these clients, and messages to them may have been lost. They are bound
-- to it again, and all that they must hear of is due; but not who has left, or sleeps, since it spoke.
-- Arguments: gateway, now, list of clients.
-- Returns how many of them were looked at, which is not all when they have very many marks; list of
-- client, close code: those that are bound elsewhere, or not known any more.
local gateway, now, clients = arg(), arg_number(), arg_list()
local TAKEN_OVER, REVOKED, ENDED = '4001', '4002', '4005'
local MOST_DUE = 5000

local due = 0
local function bind(client)
  local sid = redis.call('GET', 'c:' .. client)
  local session = sid and session_read(sid)
  if not session then
    return sid and redis.call('HGET', session_key(sid), 'why') == LOGIN_ENDED and REVOKED or ENDED
  elseif session.client ~= client then
    return TAKEN_OVER
  elseif is_away(sid, client) then
    return nil
  end
  session_bind(sid, client, gateway, now)
  due = due + due_all(sid)
  due_refresh(sid, session_read(sid))
  return nil
end

local handled, close = 0, {}
while handled < #clients and due < MOST_DUE do
  handled = handled + 1
  local code = bind(clients[handled])
  if code then
    table.insert(close, clients[handled])
    table.insert(close, code)
  end
end
return { handled, close }
