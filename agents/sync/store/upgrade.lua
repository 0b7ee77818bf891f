-- "upgradeClient" (spec 3.3): the session is persistent from now on, and what it has not heard of, or
-- has not acknowledged, is sent now. A session that hibernates is awake again.
-- Arguments: client, accepted, epoch (0: unknown), gateway, device type.
-- Returns client | ok, session.
local client, accepted, epoch, gateway, device_type = arg(), arg_number(), arg(), arg(), arg()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
if ended then
  return { 'ok', sid }
end
local key = session_key(sid)
redis.call('HSET', key, 'persistent', 1, 'deviceType', device_type)

local s = redis.call('HMGET', key, 'client', 'epoch', 'hibernates')
if s[1] == client and s[2] == epoch and s[3] == '1' then
  redis.call('HSET', key, 'gw', gateway, 'hibernates', 0)
end
if redis.call('HGET', key, 'gw') ~= '' then
  redis.call('ZUNIONSTORE', session_key(sid, ':d'), 1, session_key(sid, ':d'), 'WEIGHTS', 0)
  due_refresh(sid)
end
return { 'ok', sid }
