-- What operators have changed of a user. Who is disabled, or logged out, has no login any more.
-- Arguments: no listings of children, touches.c; name of the user, whether to disable (1), to enable (0) or
-- neither (""), whether to log out (1 or 0), roles to give, roles to take (",editor,"; "": none), now.
-- Returns unknown | ambiguous | ok, user, roles.
local name, disabled, leaves, gives, takes, now = arg(), arg(), arg() == '1', arg(), arg(), arg()

local user, why = user_named(name)
if not user then
  return { why }
end

-- Among the roles that were given by `by`, or taken, these are from now on, and those are no longer.
local function roles_alter(by, these, those)
  local is_out, roles = {}, {}
  each_role(those, function(role)
    is_out[role] = true
  end)
  each_role((redis.call('HGET', user_key(user, ':r'), by) or '') .. these, function(role)
    if not is_out[role] then
      is_out[role] = true
      table.insert(roles, role)
    end
  end)
  roles_given(user, by, roles_text(roles))
end
roles_alter('+', gives, takes)
roles_alter('-', takes, gives)
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
