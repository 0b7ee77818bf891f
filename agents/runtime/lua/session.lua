-- Sessions (design section 7). `s:next` counts them; "c:<client id>" leads to one.

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

-- The session is bound to no gateway; its marks wait.
local function session_unbind(sid, now)
  redis.call('HSET', session_key(sid), 'gw', '', 'seen', now)
  redis.call('ZREM', 'due', sid)
end

-- From now on the session is told of changes of the object.
local function watch(sid, ref)
  if redis.call('ZADD', object_key(ref, ':w'), sid, sid) == 1 then
    redis.call('SADD', session_key(sid, ':w'), ref)
  end
end

local function unwatch(sid, ref)
  redis.call('ZREM', object_key(ref, ':w'), sid)
  redis.call('SREM', session_key(sid, ':w'), ref)
end
