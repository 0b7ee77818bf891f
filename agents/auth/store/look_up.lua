-- What the basic provider knows of a user name.
-- Arguments: user name.
-- Returns nothing | user name, password hash, first name, last name, email,
-- whether that was verified (1 or 0).
local name = arg()

local account = redis.call('HMGET', account_key(name), 'hash', 'firstName', 'lastName', 'email',
  'verified')
if not account[1] then
  return {}
end
return { name, account[1], account[2], account[3], account[4], account[5] or '0' }
