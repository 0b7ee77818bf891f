-- What operators have changed of a user. Who is disabled, or logged out, has no login any more.
-- Arguments: no listings of children, touches.c; name of the user, whether to disable (1), to enable (0) or
-- neither (""), whether to log out (1), roles to give, roles to take (",editor,"; "": none), now.
-- Returns unknown | ambiguous | ok, user, roles.
local name, disabled, leaves, gives, takes, now = arg(), arg(), arg() == '1', arg(), arg(), arg()

local user, why = user_named(name)
if not user then
  return { why }
end

roles_order(user, gives, takes)
roles_refresh(user, now)
watchers.refresh(now)

if disabled == '1' then
  redis.call('HSET', user_key(user), 'disabled', 1)
elseif disabled == '0' then
  redis.call('HDEL', user_key(user), 'disabled')
end
if leaves or disabled == '1' then
  user_revoke(user, '', now)
end
return { 'ok', user, redis.call('HGET', user_key(user), 'roles') or '' }
