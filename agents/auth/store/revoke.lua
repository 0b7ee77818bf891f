-- Logins that end, and with them their sessions and the sockets of these (close code 4002). What there may
-- be much of is ended step by step (sweep.lua).
--
--   revocations      "<user>\n<until>\n<session that stays>" -> when to go on; every login ends that the user
--                    had until then, and every session
--   revocations:at   the same -> where the last step has ended
--   closings         "<client> <gateway>" -> when to have the gateway close that socket, until it was told

local function user_revoke(user, now, kept, due)
  redis.call('ZADD', 'revocations', due or now, table.concat({ user, now, kept or '' }, '\n'))
end

local function session_revoke(sid, now, known_s)
  local s = redis.call('HMGET', session_key(sid), 'user', 'client', 'gw', 'ended')
  if not s[1] or s[4] then
    redis.call('ZREM', 'logins', sid)
    return
  end
  session_end(sid, now, LOGIN_ENDED, known_s, now) -- a sync agent does the rest: it is due
  if s[3] and s[3] ~= '' then
    redis.call('ZADD', 'closings', now, s[2] .. ' ' .. s[3])
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
