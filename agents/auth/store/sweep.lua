-- One step of what auth agents look for again and again: logins that have expired or were revoked, and
-- sockets that have to go.
-- Arguments: now, lease until, at most, seconds for which ended sessions are known, list of the closings that
-- gateways have been told of.
-- Returns more (1 or 0), list of closings that they are to be told of.
local now, lease, left, known_s, told = arg_number(), arg(), arg_number(), arg(), arg_list()

for _, closing in ipairs(told) do
  redis.call('ZREM', 'closings', closing)
end

local function due_in(list, most)
  return redis.call('ZRANGEBYSCORE', list, '-inf', now, 'LIMIT', 0, most)
end

for _, sid in ipairs(due_in('logins', left)) do
  session_revoke(sid, now, known_s)
  left = left - 1
end

-- One look at a part of what a user has: items, and where the next look goes on. Each is dealt with by
-- `take`, as many as there is time for; true: that was all there is.
local function walk(user, part, step, items, take)
  for i = 1, #items, step do
    if left == 0 then
      return false
    end
    if take(items[i]) then
      left = left - 1
    end
  end
  left = math.max(left - 1, 0) -- a look that finds nothing to end takes time, too
  redis.call('HSET', 'revocations:at', user, part)
  return true
end

local function revoke_tokens(user, cursor)
  local found = redis.call('ZSCAN', user_key(user, ':t'), cursor, 'COUNT', left)
  local at = found[1] == '0' and 's 0' or 't ' .. found[1]
  return walk(user, at, 2, found[2], function(hash)
    local token = token_read(hash)
    local goes = token and not is_of_now(user, token.generation)
    if goes then
      token_delete(hash, token)
    end
    return goes
  end)
end

local function revoke_sessions(user, cursor)
  local found = redis.call('SSCAN', user_key(user, ':s'), cursor, 'COUNT', left)
  local at = found[1] == '0' and 'end' or 's ' .. found[1]
  return walk(user, at, 1, found[2], function(sid)
    local goes = not session_is_of_now(sid, user)
    if goes then
      session_revoke(sid, now, known_s)
    end
    return goes
  end)
end

-- Goes on with a revocation as far as there is time.
local function revoke(user)
  redis.call('ZADD', 'revocations', lease, user)
  while left > 0 do
    local part, cursor = string.match(redis.call('HGET', 'revocations:at', user) or 't 0', '^(%a+) ?(%d*)$')
    if part == 'end' then
      redis.call('ZREM', 'revocations', user)
      redis.call('HDEL', 'revocations:at', user)
      user_forget(user, now)
      return
    end
    local step = part == 't' and revoke_tokens or revoke_sessions
    step(user, cursor)
  end
  redis.call('ZADD', 'revocations', now, user)
end

while left > 0 do
  local user = due_in('revocations', 1)[1]
  if not user then
    break
  end
  revoke(user)
end

local closings = due_in('closings', 250)
for _, closing in ipairs(closings) do
  redis.call('ZADD', 'closings', lease, closing)
end
return { left == 0 and 1 or 0, closings }
