-- Users, in the order of their ids, or one.
-- Arguments: the user behind whom to go on, at most; or name of the user, 1, "one".
-- Returns list of id, first name, last name, email, roles, disabled (1 or 0), created, last login (0: none),
-- accounts, one a line, sessions.
local after, most, one = arg(), arg(), arg()

local function row(user)
  local u = redis.call('HMGET', user_key(user), 'firstName', 'lastName', 'email', 'roles', 'disabled',
    'created', 'login')
  local accounts = redis.call('SMEMBERS', user_key(user, ':a'))
  table.sort(accounts)
  return { user, u[1] or '', u[2] or '', u[3] or '', u[4] or '', u[5] or '0', u[6] or '0', u[7] or '0',
    table.concat(accounts, '\n'), redis.call('SCARD', user_key(user, ':s')) }
end

local found = one and { (user_named(after)) }
  or redis.call('ZRANGEBYLEX', 'users', '(' .. after, '+', 'LIMIT', 0, most)
local list = {}
for i, user in ipairs(found) do
  list[i] = row(user)
end
return list
