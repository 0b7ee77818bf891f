-- What a session wants to hear of is an item: a ref; a value that is derived from the object,
-- "~<ref>\t<name>\t<params>", which is stored like an object (store/value.lua); or of the content protocol
-- also "+<ref>", the children of the object. Who does is listed at the object, by number:
--
--   {o:<ref>}:w    sessions of ActiveStack, as long as it lives
--   {o:<ref>}:sw   those of the content protocol, whether or not it lives    {o:<ref>}:cw   its children
--
-- {s:<sid>}:w has the items of a session, {s:<sid>} "values" how many of them are values.

-- What stands for the item in the names of keys, and whether it is about children.
local function item_parts(item)
  local parent = string.match(item, '^%+(.*)$')
  return parent or item, parent ~= nil
end

-- The object that an item is about.
local function item_ref(item)
  return string.match(item, '^[+~]?([^\t]*)')
end

local function is_value(item)
  return string.sub(item, 1, 1) == '~'
end

-- Whatever nobody watches any more is dropped (store/watch_begin.lua).
local function value_left(sid, item)
  if redis.call('SREM', session_key(sid, ':w'), item) == 1
    and redis.call('HEXISTS', session_key(sid), 'values') == 1 then
    redis.call('HINCRBY', session_key(sid), 'values', -1)
  end
  if redis.call('EXISTS', object_key(item, ':w')) == 0 then
    redis.call('ZADD', 'values', 0, item)
  end
end

-- From now on the session is told of changes.
local function watch(sid, item)
  if not hears(sid) then
    return
  end
  local ref, of_children = item_parts(item)
  local part = of_children and ':cw' or is_content(sid) and ':sw' or ':w'
  if redis.call('ZADD', object_key(ref, part), sid, sid) == 1 then
    redis.call('SADD', session_key(sid, ':w'), item)
    if is_value(item) then
      redis.call('HINCRBY', session_key(sid), 'values', 1)
    end
  end
end

-- Does the session watch it already, or less than `most`?
local function may_watch(sid, item, most)
  local wishes = session_key(sid, ':w')
  return redis.call('SCARD', wishes) < most or redis.call('SISMEMBER', wishes, item) == 1
end

local function unwatch(sid, item)
  local ref, of_children = item_parts(item)
  for _, part in ipairs(of_children and { ':cw' } or { ':w', ':sw' }) do
    redis.call('ZREM', object_key(ref, part), sid)
  end
  if is_value(item) then
    value_left(sid, item)
  else
    redis.call('SREM', session_key(sid, ':w'), item)
  end
end
