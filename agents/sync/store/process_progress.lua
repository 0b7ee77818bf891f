-- A worker tells how far it is. Nobody is told who has not asked for it, or who has no connection.
-- Arguments: call. Returns none | ok, messageId, client, gateway.
local id = arg()

local call = redis.call('HMGET', call_key(id), 'session', 'message', 'progress', 'by')
local session = call[1] and call[3] == '1' and not call[4] and session_read(call[1])
if not session or session.gateway == '' then
  return { 'none' }
end
return { 'ok', call[2], session.client, session.gateway }
