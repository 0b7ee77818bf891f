-- What a session wants to hear of is an item: a ref; a value that is derived from the object,
-- "~<ref>\t<name>\t<params>", which is stored like an object (store/value.lua); or of the content protocol
-- also "+<ref>", the children of the object. Who does is listed at the object, by number:
--
--   {o:<ref>}:w    sessions of ActiveStack, as long as it lives
--   {o:<ref>}:sw   those of the content protocol, whether or not it lives    {o:<ref>}:cw   its children
--
--   {o:<ref>}:sb   those of :sw, and {o:<ref>}:cb those of :cw, that wish in the blind (knowledge.lua)
--   {o:<ref>}:vw   those that watch values of it, where not everyone may read it
--
-- {s:<sid>}:w has the items of a session, {s:<sid>}:v those of them that are values.

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

-- The values of an object that the session watches.
local function values_of(sid, ref)
  return redis.call('ZRANGEBYLEX', session_key(sid, ':v'), '[~' .. ref .. '\t', '(~' .. ref .. '\n')
end

-- Whatever nobody watches any more is dropped (store/watch_begin.lua).
local function value_left(sid, item)
  redis.call('ZREM', session_key(sid, ':v'), item)
  if not values_of(sid, item_ref(item))[1] then
    redis.call('ZREM', object_key(item_ref(item), ':vw'), sid)
  end
  if redis.call('EXISTS', object_key(item, ':w')) == 0 then
    redis.call('ZADD', 'values', 0, item)
  end
end

-- From now on the session is told of changes. Returns whether that is new.
local function watch(sid, item)
  if not hears(sid) then
    return false
  end
  local ref, of_children = item_parts(item)
  local part = of_children and ':cw' or is_content(sid) and ':sw' or ':w'
  if redis.call('ZADD', object_key(ref, part), sid, sid) == 0 then
    return false
  end
  redis.call('SADD', session_key(sid, ':w'), item)
  if is_value(item) then
    redis.call('ZADD', session_key(sid, ':v'), 0, item)
  end
  return true
end

-- Does the session watch it already, or less than `most`?
local function may_watch(sid, item, most)
  local wishes = session_key(sid, ':w')
  return redis.call('SCARD', wishes) < most or redis.call('SISMEMBER', wishes, item) == 1
end

local function unwatch(sid, item)
  local ref, of_children = item_parts(item)
  for _, part in ipairs(of_children and { ':cw', ':cb' } or { ':w', ':sw', ':sb' }) do
    redis.call('ZREM', object_key(ref, part), sid)
  end
  redis.call('SREM', session_key(sid, ':w'), item)
  if is_value(item) then
    value_left(sid, item)
  end
end
