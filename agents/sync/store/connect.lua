-- "connect" (spec 1.7): binds a client id to a new session, once. A second arrival, perhaps after the
-- client has gone, answers the same and changes nothing.
-- Arguments: client, gateway, address, user, device, token hash, dialect, now.
-- Returns refused | ok, session, user, pair of the object that stands for the user ("": none).
local client, gateway, address, user, device, hash = arg(), arg(), arg(), arg(), arg(), arg()
local dialect, now = arg(), arg_number()

local token = token_good(hash, now)
if not token or token.user ~= user or token.client ~= client or not token_is_of(token, device) then
  return { 'refused' }
end

local me = redis.call('HGET', user_key(user), 'me') or ''
local sid = redis.call('GET', 'c:' .. client)
if sid then
  local s = redis.call('HMGET', session_key(sid), 'user', 'ended')
  if s[1] ~= user or s[2] then
    return { 'refused' }
  end
  return { 'ok', sid, user, me }
end

sid = tostring(redis.call('INCR', 's:next'))
redis.call('HSET', session_key(sid), 'user', user, 'device', device, 'me', me, 'dialect', dialect,
  'created', now, 'generation', token.generation or '0')
session_give(sid, user)
redis.call('ZADD', 'logins', token.expires, sid)
session_bind(sid, client, gateway, now, address)
return { 'ok', sid, user, me }
