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

-- May this session do what `rule` asks for? (design section 12) An owner is named by the text of a
-- field: the user's id, or the pair of the user's own object.
local function allowed(sid, rule, text)
  if rule == 'everyone' or rule == 'signedIn' then
    return true
  end
  if rule ~= 'owner' or not text then
    return false
  end
  local who = redis.call('HMGET', session_key(sid), 'user', 'me')
  return text == '"' .. who[1] .. '"' or (who[2] and who[2] ~= '' and text == who[2])
end
