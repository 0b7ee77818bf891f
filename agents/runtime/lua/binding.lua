-- Bindings of sessions (design section 7): how they begin and end, and what that says of their users. A user
-- is there while one of their sessions is bound (online.lua).
--
--   {u:<user>}:b    those that are                    online     user -> when to look whether they are there
--   logins          session -> when its login expires (auth/store/sweep.lua)

local NAMES_KEPT = 32
local FIRST_LEASE_MS = 30000 -- within which a gateway that binds somebody has asked for one

local function gateway_key(gateway)
  return '{g:' .. gateway .. '}'
end

-- Nobody waits for an answer to the last block (notify.lua) any more.
local function block_forget(sid)
  redis.call('DEL', session_key(sid, ':b'))
  redis.call('HDEL', session_key(sid), 'block', 'blockTries')
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

-- Binds the session to a gateway under this name. The epoch counts bindings. The address is the client's;
-- nil: as it was.
local function session_bind(sid, client, gateway, now, address)
  local key, names = session_key(sid), session_key(sid, ':c')
  local before = redis.call('HGET', key, 'gw') or ''
  local epoch = redis.call('HINCRBY', key, 'epoch', 1)
  redis.call('HSET', key, 'client', client, 'gw', gateway, 'seen', now, 'hibernates', 0)
  if address then
    redis.call('HSET', key, 'address', address)
  end
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
  redis.call('ZREM', 'logins', sid)
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
