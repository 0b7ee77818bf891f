-- Roles that change: whatever depends on them hears of it.

-- Among the roles that were given by `by`, or taken, these are from now on, and those are no longer.
local function roles_alter(user, by, these, those)
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

-- An operator gives roles and takes others (",editor,"; "": none); what they have ordered before stays.
local function roles_order(user, gives, takes)
  roles_alter(user, '+', gives, takes)
  roles_alter(user, '-', takes, gives)
end

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
