-- Roles that change: whatever depends on them hears of it.

-- The user's roles are what those make of them who gave and took some; `lease` until others look for what
-- follows from it.
local function roles_refresh(user, lease)
  local roles = roles_of(user)
  if roles == (redis.call('HGET', user_key(user), 'roles') or '') then
    return
  elseif roles == '' then
    redis.call('HDEL', user_key(user), 'roles')
  else
    redis.call('HSET', user_key(user), 'roles', roles)
  end
  roles_changed(user, lease)
end
