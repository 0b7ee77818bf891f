-- Sessions (design section 7). `s:next` counts them; "c:<client id>" leads to one. A client id is the
-- name of a session from one binding to the next, and never of another; {s:<sid>}:c has the latest.
--
--   {g:<gateway>}   sessions that are bound there     gateways   gateway -> its lease ends
--   idle            unbound session -> when it ends   due        session -> its earliest due mark
--   sessions        all of them, by number            blocks     the same for the content protocol
--   anonymous       those of the user whom the provider anonymous lets in, who has not signed in (login.lua)

local LOGIN_ENDED = 'the login has ended' -- why a session was ended: its sockets are closed with 4002

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

-- A new one is the user's.
local function session_give(sid, user)
  redis.call('SADD', user_key(user, ':s'), sid)
  redis.call('ZADD', 'sessions', sid, sid)
  if redis.call('HGET', user_key(user), 'anonymous') == '1' then
    redis.call('SADD', 'anonymous', sid)
  end
end

local function user_of(sid)
  return redis.call('HGET', session_key(sid), 'user')
end
