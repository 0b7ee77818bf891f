-- A user goes: the accounts and what identifies the user at once, so that whoever logs in with them is
-- somebody new; logins and sessions from `due` on; then a sync agent takes the user's own objects away.
-- Arguments: name of the user, now, due. Returns unknown | ambiguous | ok, user.
local name, now, due = arg(), arg(), arg()

local user, why = user_named(name)
if not user then
  return { why }
end
for _, basic in ipairs(basic_names(user)) do
  local email = redis.call('HGET', account_key(basic), 'email')
  if email and email ~= '' and redis.call('GET', email_key(email)) == basic then
    redis.call('DEL', email_key(email))
  end
  redis.call('DEL', account_key(basic))
end
for _, account in ipairs(redis.call('SMEMBERS', user_key(user, ':a'))) do
  redis.call('DEL', account_user_key(account))
end
for _, identifier in ipairs(redis.call('SMEMBERS', user_key(user, ':i'))) do
  redis.call('DEL', identifier_key(identifier))
end
redis.call('DEL', user_key(user, ':a'), user_key(user, ':i'))
redis.call('HSET', user_key(user), 'disabled', 1, 'gone', now)
redis.call('ZREM', 'users', user)
user_revoke(user, '', due)
return { 'ok', user }
