-- "disconnect" (spec 1.8): the session loses its binding and keeps everything else. Ignored when
-- it comes from an older binding (design section 7).
-- Arguments: client, epoch (0: unknown), now.
local client, epoch, now = arg(), arg_number(), arg_number()

local sid = redis.call('GET', 'c:' .. client)
if not sid then
  return { 'client' }
end
local s = redis.call('HMGET', session_key(sid), 'client', 'epoch')
if s[1] == client and (epoch == 0 or tonumber(s[2]) == epoch) then
  redis.call('HSET', session_key(sid), 'gw', '', 'seen', now)
  redis.call('ZREM', 'due', sid)
end
return { 'ok', sid }
