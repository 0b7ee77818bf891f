-- "register" (spec 3.9): a new account of the basic provider. The user is made by its first login.
-- Arguments: user name, password hash, first name, last name, email, name of the request ("": none),
-- now.
-- Returns duplicate | ok.
local name, hash, first_name, last_name, email, request, now =
  arg(), arg(), arg(), arg(), arg(), arg(), arg()

local there = redis.call('HMGET', account_key(name), 'hash', 'request')
if there[1] and request ~= '' and there[2] == request then
  return 'ok' -- delivered again
end
if there[1] or redis.call('EXISTS', email_key(email)) == 1 then
  return 'duplicate'
end
redis.call('HSET', account_key(name), 'hash', hash, 'firstName', first_name, 'lastName', last_name,
  'email', email, 'request', request, 'created', now)
redis.call('SET', email_key(email), name)
return 'ok'
