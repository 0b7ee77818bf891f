-- "disconnect" and "hibernate" (spec 1.8): the session loses its binding and keeps everything else.
-- Ignored when it comes from an older binding (design section 7). Who hibernates is still there, and
-- may have the binding back (upgrade.lua).
-- Arguments: client, epoch (0: unknown), now, hibernates (1 or 0).
-- Returns client | ok, session.
local client, epoch, now, hibernates = arg(), arg_number(), arg_number(), arg()

local sid = redis.call('GET', 'c:' .. client)
if not sid then
  return { 'client' }
end
local s = redis.call('HMGET', session_key(sid), 'client', 'epoch')
if s[1] == client and (epoch == 0 or tonumber(s[2]) == epoch) then
  session_unbind(sid, now)
  redis.call('HSET', session_key(sid), 'hibernates', hibernates)
end
return { 'ok', sid }
