-- A new password of a user at the basic provider; every login ends but that of one session.
-- Arguments: name of the user, hash that the password has now ("": whatever it has), new hash, session that
-- stays ("": none), name of the request ("": none), now.
-- Returns unknown | ambiguous | none, who has no such account | changed, which is another one by now | ok,
-- user.
local name, before, hash, kept, request, now = arg(), arg(), arg(), arg(), arg(), arg()

local user, why = user_named(name)
if not user then
  return { why }
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
redis.call('HSET', account_key(basic), 'hash', hash, 'changed', request)
user_revoke(user, kept, now)
return { 'ok', user }
