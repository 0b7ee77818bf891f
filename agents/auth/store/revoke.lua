-- Logins that end, and with them their sessions and the sockets of these (close code 4002). What there may
-- be much of is ended step by step (sweep.lua).
--
--   revocations      user -> when to go on: every login and session of an earlier generation (token.lua) ends
--   revocations:at   user -> where the last step has ended
--   closings         "<client> <gateway>" -> when to have the gateway close that socket, until it was told

-- One in which a worker acts for another is as good as that one.
local function session_is_of_now(sid, user)
  local s = redis.call('HMGET', session_key(sid), 'caller', 'generation')
  return is_of_now(user, s[1] and redis.call('HGET', session_key(s[1]), 'generation') or s[2])
end

local function session_keep(sid, generation)
  local client = redis.call('HGET', session_key(sid), 'client')
  redis.call('HSET', session_key(sid), 'generation', generation)
  for _, hash in ipairs(redis.call('ZRANGE', tokens_of_client(client), 0, -1)) do
    if token_read(hash) then
      redis.call('HSET', token_key(hash), 'generation', generation)
    end
  end
end

-- From now on no login of the user is good, but that of one session ("": of none), if it still was. Sessions
-- and sockets go from `due` on.
local function user_revoke(user, kept, due)
  local stays = kept ~= '' and user_of(kept) == user and session_is_of_now(kept, user)
  local generation = redis.call('HINCRBY', user_key(user), 'generation', 1)
  if stays then
    session_keep(kept, generation)
  end
  redis.call('ZADD', 'revocations', 'LT', due, user)
  redis.call('HDEL', 'revocations:at', user)
end

local function session_revoke(sid, now, known_s)
  local s = redis.call('HMGET', session_key(sid), 'user', 'client', 'gw', 'ended', 'hibernates', 'sleepsAt')
  if not s[1] or s[4] then
    redis.call('ZREM', 'logins', sid)
    return
  end
  session_end(sid, now, LOGIN_ENDED, known_s, now) -- a sync agent does the rest: it is due
  local gateway = s[5] == '1' and s[6] or s[3]
  if gateway and gateway ~= '' then
    redis.call('ZADD', 'closings', now, s[2] .. ' ' .. gateway)
  end
end

-- A user who is going, and has no session any more, is forgotten by a sync agent, with what is theirs.
local function user_forget(user, due)
  if redis.call('HEXISTS', user_key(user), 'gone') == 1 then
    local job = redis.call('INCR', 'j:next')
    redis.call('HSET', job_key(job), 'type', 'forget', 'session', user)
    redis.call('ZADD', 'jobs', due, job)
  end
end
