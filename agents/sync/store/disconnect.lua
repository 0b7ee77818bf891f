-- "disconnect" and "hibernate" (spec 1.8): the session loses its binding and keeps everything else.
-- Ignored when another client id has been bound since (design section 7). Who hibernates is still
-- there, with a socket that may have to go (auth/store/revoke.lua), and may have the binding back (upgrade.lua);
-- who has left is not bound again by what comes late.
-- Arguments: client, now, hibernates (1 or 0), for how long sessions may be idle.
-- Returns client | ok, session.
local client, now, hibernates, idle = arg(), arg_number(), arg(), arg_idle()

local sid = redis.call('GET', 'c:' .. client)
if not sid then
  return { 'client' }
end
local s = redis.call('HMGET', session_key(sid), 'client', 'ended', 'gw')
if s[1] == client and not s[2] then
  session_unbind(sid, now, idle)
  redis.call('HSET', session_key(sid), 'hibernates', hibernates)
  if s[3] ~= '' then
    redis.call('HSET', session_key(sid), 'sleepsAt', s[3])
  end
  if hibernates ~= '1' then
    redis.call('HSET', session_key(sid), 'left', client)
  end
end
return { 'ok', sid }
