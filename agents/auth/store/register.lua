-- A new account of the basic provider, and its user, unless that is known by a verified email: "register"
-- (spec 3.9), or an operator's wish.
-- Arguments: no listings of children, touches.c; user name, password hash, first name, last name, email ("":
-- none), whether the email was verified (1 or 0), id of the user, roles (",editor,"; "": none), name of the
-- request ("": none), now.
-- Returns duplicate | ok, user.
local name, hash, first_name, last_name, email, is_verified, user, roles, request, now =
  arg(), arg(), arg(), arg(), arg(), arg() == '1', arg(), arg(), arg(), arg()

local there = redis.call('HMGET', account_key(name), 'hash', 'request')
if there[1] and request ~= '' and there[2] == request then
  return { 'ok', redis.call('GET', account_user_key(BASIC .. name)) } -- delivered again
end
local verified = email ~= '' and is_verified and { email_identifier(email) } or {}
local known = identifiers_user(verified)
if there[1] or redis.call('EXISTS', account_user_key(BASIC .. name)) == 1
  or email ~= '' and redis.call('EXISTS', email_key(email)) == 1 or known == false then
  return { 'duplicate' }
end
redis.call('HSET', account_key(name), 'hash', hash, 'firstName', first_name, 'lastName', last_name,
  'email', email, 'verified', is_verified and 1 or 0, 'request', request, 'created', now)
if email ~= '' then
  redis.call('SET', email_key(email), name)
end
if known then
  user = known
else
  user_make(user, first_name, last_name, email, now)
end
account_give(user, BASIC .. name)
identifiers_give(user, verified)
if roles ~= '' then
  roles_order(user, roles, '')
  roles_refresh(user, now)
end
watchers.refresh(now)
return { 'ok', user }
