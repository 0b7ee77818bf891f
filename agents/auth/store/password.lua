-- A new password of a user at the basic provider; every login ends but that of one session.
-- Arguments: name of the user, hash that the password has now ("": whatever it has), new hash, session that
-- stays ("": none), now.
-- Returns unknown | none, who has no such account | changed, which is another one by now | ok, user.
local name, before, hash, kept, now = arg(), arg(), arg(), arg(), arg()

local user = user_named(name)
if not user then
  return { 'unknown' }
end
local basic = basic_names(user)[1]
if not basic then
  return { 'none' }
end
local stored = redis.call('HGET', account_key(basic), 'hash')
if stored == hash then
  return { 'ok', user } -- delivered again
elseif before ~= '' and stored ~= before then
  return { 'changed' }
end
redis.call('HSET', account_key(basic), 'hash', hash)
user_revoke(user, now, kept)
return { 'ok', user }
