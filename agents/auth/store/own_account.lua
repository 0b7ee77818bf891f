-- Who asks something about themselves?
-- Arguments: client, user, now.
-- Returns client, whose session is not there | nobody, since the account is everybody's | ok, session, ms since its login, user name at the basic
-- provider, hash of its password ("": none).
local client, user, now = arg(), arg(), arg_number()

local sid = redis.call('GET', 'c:' .. client)
local s = sid and redis.call('HMGET', session_key(sid), 'user', 'ended')
if not s or s[1] ~= user or s[2] or not user_exists(user) then
  return { 'client' }
elseif redis.call('HGET', user_key(user), 'anonymous') == '1' then
  return { 'nobody' }
end
local since = 0
for _, hash in ipairs(redis.call('ZRANGE', tokens_of_client(client), 0, -1)) do
  local token = token_read(hash)
  since = math.max(since, token and token.user == user and tonumber(token.created) or 0)
end
local basic = basic_names(user)[1]
return { 'ok', sid, string.format('%d', now - since), basic or '',
  basic and redis.call('HGET', account_key(basic), 'hash') or '' }
