-- "upgradeClient" (spec 3.3): the session is persistent from now on, and what it has not heard of, or
-- has not acknowledged, is sent now. A session that hibernates is awake again.
-- Arguments: client, accepted, now, gateway, device type.
-- Returns client | ok, session.
local client, accepted, now, gateway, device_type = arg(), arg_number(), arg_number(), arg(), arg()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
if ended then
  return { 'ok', sid }
end
redis.call('HSET', session_key(sid), 'persistent', 1, 'deviceType', device_type)

local s = redis.call('HMGET', session_key(sid), 'client', 'hibernates')
if s[1] == client and s[2] == '1' and gateway ~= '' then
  session_bind(sid, client, gateway, now)
end
due_all(sid)
due_refresh(sid, session_read(sid))
return { 'ok', sid }
