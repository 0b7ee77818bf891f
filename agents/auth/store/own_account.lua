-- Who asks something about themselves?
-- Arguments: client, user, name of the request ("": none), now.
-- Returns client, whose session is not there | nobody, since the account is everybody's | ok, session, ms since
-- its login, user name at the basic provider, hash of its password ("": none), whether this request has changed
-- that already (1 or 0).
local client, user, request, now = arg(), arg(), arg(), arg_number()

local sid = redis.call('GET', 'c:' .. client)
sid = sid and (redis.call('HGET', session_key(sid), 'caller') or sid) -- a worker asks for whom it works for
local s = sid and redis.call('HMGET', session_key(sid), 'user', 'ended', 'generation')
if not s or s[1] ~= user or s[2] or not user_exists(user) or not is_of_now(user, s[3]) then
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
local account = basic and redis.call('HMGET', account_key(basic), 'hash', 'changed') or {}
local is_changed = request ~= '' and account[2] == request
return { 'ok', sid, string.format('%d', now - since), basic or '', account[1] or '', is_changed and 1 or 0 }
