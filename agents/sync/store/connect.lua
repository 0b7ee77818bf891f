-- "connect" (spec 1.7): binds a client id to a session, once. A second arrival, perhaps after the
-- client has gone, answers the same and changes nothing.
-- Arguments: client, gateway, user, device, token hash, dialect, now.
-- Returns refused | ok, session, epoch, user.
local client, gateway, user, device, token = arg(), arg(), arg(), arg(), arg()
local dialect, now = arg(), arg_number()

local login = redis.call('HMGET', '{t:' .. token .. '}', 'user', 'client', 'expires')
if login[1] ~= user or login[2] ~= client or tonumber(login[3]) <= now then
  return { 'refused' }
end

local sid = redis.call('GET', 'c:' .. client)
if sid then
  local s = redis.call('HMGET', session_key(sid), 'user', 'epoch', 'ended')
  if s[1] ~= user or s[3] then
    return { 'refused' }
  end
  return { 'ok', sid, s[2], user }
end

sid = tostring(redis.call('INCR', 's:next'))
local me = redis.call('HGET', '{u:' .. user .. '}', 'me') or ''
redis.call('HSET', session_key(sid), 'client', client, 'gw', gateway, 'epoch', 1, 'user', user,
  'device', device, 'me', me, 'dialect', dialect, 'created', now, 'seen', now)
redis.call('SET', 'c:' .. client, sid)
redis.call('SADD', session_key(sid, ':c'), client)
redis.call('SADD', '{u:' .. user .. '}:s', sid)
return { 'ok', sid, '1', user }
