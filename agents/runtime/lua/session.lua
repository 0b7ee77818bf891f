-- Sessions (design section 7). `s:next` counts them; "c:<client id>" leads to one. A client id is the
-- name of a session from one binding to the next, and never of another; {s:<sid>}:c has the latest.
--
--   {g:<gateway>}   sessions that are bound there     gateways   gateway -> its lease ends
--   idle            unbound session -> when it ends   due        session -> its earliest due mark
--   sessions        all of them, by number            blocks     the same for the content protocol
--
-- A user is there while one of their sessions is bound (online.lua).
--
--   {u:<user>}:b    those that are                    online     user -> when to look whether they are there

local NAMES_KEPT = 32
local FIRST_LEASE_MS = 30000 -- within which a gateway that binds somebody has asked for one

local function gateway_key(gateway)
  return '{g:' .. gateway .. '}'
end

local dialects = {} -- session -> its dialect

local function dialect_of(sid)
  dialects[sid] = dialects[sid] or redis.call('HGET', session_key(sid), 'dialect') or ''
  return dialects[sid]
end

local function is_content(sid)
  return dialect_of(sid) == 'content'
end

-- One in which a worker acts for somebody (store/call.lua) is told nothing.
local function hears(sid)
  return dialect_of(sid) ~= 'process'
end

-- The session that a client id names. A session that was ended still serves what the gateway had
-- accepted before: an acknowledged write must not be lost to a logout that overtook it.
local function session_of(client, accepted)
  local sid = redis.call('GET', 'c:' .. client)
  if not sid then
    return nil
  end
  local ended = redis.call('HGET', session_key(sid), 'ended')
  if ended and accepted > tonumber(ended) then
    return nil
  end
  return sid, ended
end

-- The session as whoever tells it something needs it; nil once it has ended.
local function session_read(sid)
  local s = redis.call('HMGET', session_key(sid), 'client', 'gw', 'epoch', 'receipts', 'ended',
    'quiet', 'dialect')
  if not s[1] or s[5] then
    return nil
  end
  local content = s[7] == 'content'
  return { client = s[1], gateway = s[2], epoch = tonumber(s[3]), answers = content or s[4] == '1',
    quiet_until = tonumber(s[6] or 0), is_content = content }
end

-- Nobody waits for an answer to the last block (notify.lua) any more.
local function block_forget(sid)
  redis.call('DEL', session_key(sid, ':b'))
  redis.call('HDEL', session_key(sid), 'block', 'blockTries')
end

local function user_of(sid)
  return redis.call('HGET', session_key(sid), 'user')
end

local function user_comes(sid, now)
  local user = user_of(sid)
  local bound = user_key(user, ':b')
  if redis.call('SADD', bound, sid) == 1 and redis.call('SCARD', bound) == 1 then
    redis.call('ZADD', 'online', now, user)
  end
end

-- The user's `left` is when the last of their sessions lost its binding.
local function user_goes(sid, now)
  local user = user_of(sid)
  local bound = user_key(user, ':b')
  if redis.call('SREM', bound, sid) == 1 and redis.call('EXISTS', bound) == 0 then
    redis.call('HSET', user_key(user), 'left', now)
    redis.call('ZADD', 'online', 'NX', now, user)
  end
end

-- Binds the session to a gateway under this name. The epoch counts bindings.
local function session_bind(sid, client, gateway, now)
  local key, names = session_key(sid), session_key(sid, ':c')
  local before = redis.call('HGET', key, 'gw') or ''
  local epoch = redis.call('HINCRBY', key, 'epoch', 1)
  redis.call('HSET', key, 'client', client, 'gw', gateway, 'seen', now, 'hibernates', 0)
  redis.call('SET', 'c:' .. client, sid)
  redis.call('ZADD', names, epoch, client)
  for _, name in ipairs(redis.call('ZRANGE', names, 0, -NAMES_KEPT - 1)) do
    redis.call('DEL', 'c:' .. name)
    redis.call('ZREM', names, name)
  end
  if before ~= '' and before ~= gateway then
    redis.call('SREM', gateway_key(before), sid)
  end
  redis.call('SADD', gateway_key(gateway), sid)
  redis.call('ZADD', 'gateways', 'NX', now + FIRST_LEASE_MS, gateway)
  redis.call('ZREM', 'idle', sid)
  if is_content(sid) then -- what was told the binding before may be lost
    block_forget(sid)
    redis.call('HDEL', key, 'quiet')
  end
  user_comes(sid, now)
  return epoch
end

-- Has who had this name said good-bye, or asked to be told nothing? Then nothing late binds it again.
local function is_away(sid, client)
  local s = redis.call('HMGET', session_key(sid), 'left', 'hibernates')
  return s[1] == client or s[2] == '1'
end

-- For how long sessions may be without a binding, in ms.
local function arg_idle()
  return { activestack = arg_number(), content = arg_number() }
end

-- The session is bound to no gateway.
local function session_release(sid, now)
  local gateway = redis.call('HGET', session_key(sid), 'gw')
  if gateway and gateway ~= '' then
    redis.call('SREM', gateway_key(gateway), sid)
  end
  redis.call('HSET', session_key(sid), 'gw', '', 'seen', now)
  redis.call('ZREM', 'due', sid)
  redis.call('ZREM', 'blocks', sid)
  user_goes(sid, now)
end

-- The same for a session that stays: its marks wait, for as long as it may be idle.
local function session_unbind(sid, now, idle)
  session_release(sid, now)
  redis.call('ZADD', 'idle', now + (is_content(sid) and idle.content or idle.activestack), sid)
end

-- Ends the session. Its names stay known for some seconds, for requests that were accepted before
-- this time; what it owns goes by the job whose id is returned.
local function session_end(sid, time, why, known_s, due)
  local key = session_key(sid)
  session_release(sid, time)
  redis.call('ZREM', 'idle', sid)
  redis.call('HSET', key, 'ended', time, 'why', why)
  redis.call('SREM', user_key(user_of(sid), ':s'), sid)
  for _, name in ipairs(redis.call('ZRANGE', session_key(sid, ':c'), 0, -1)) do
    redis.call('EXPIRE', 'c:' .. name, known_s)
  end
  redis.call('EXPIRE', key, known_s)
  redis.call('DEL', session_key(sid, ':c'), session_key(sid, ':o'), session_key(sid, ':or'))

  local job = redis.call('INCR', 'j:next')
  redis.call('HSET', job_key(job), 'type', 'end', 'session', sid)
  redis.call('ZADD', 'jobs', due, job)
  return tostring(job)
end

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
