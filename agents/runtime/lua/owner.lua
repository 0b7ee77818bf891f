-- Objects that belong to a user.

local function belongs_to(ref, user)
  return field_text(ref, '@u') == '"' .. user .. '"'
end

-- The object that stands for the user; nil if there is none.
local function object_of_user(user)
  local u = redis.call('HMGET', user_key(user), 'me', 'anchor')
  local class = u[1] and string.match(u[1], '^{"className":"([^"]*)"')
  local ref = class and class .. ':' .. u[2]
  return ref and is_live(ref) and ref or nil
end

-- The id of the one object of this class that is the user's own; nil as long as there is none.
local function own_object(user, class)
  local id = redis.call('HGET', user_key(user), 'own:' .. class)
  return id and belongs_to(class .. ':' .. id, user) and id or nil
end

-- From now on the object belongs to this user, and is the user's own one of its class, unless there is
-- another.
local function object_give(ref, user)
  local class, id = class_and_id(ref)
  redis.call('HSET', object_key(ref), '@u', '0 0 "' .. user .. '"')
  if field_changed then
    field_changed(ref, '@u')
  end
  if not own_object(user, class) then
    redis.call('HSET', user_key(user), 'own:' .. class, id)
  end
end
