-- Calls of processes (design section 13), from the request to the answer, and their results.
--
--   {p:<call>}     who asks (session; none: the server itself), process, name (result.lua), message, deadline,
--                  progress, delegate; once it has ended: by (what has ended it), step, kind, code,
--                  error, body
--   {p:<call>}:a   who waits for the answer: "<client>\n<queue>\n<correlation id>", the newest last
--   processes      call -> its deadline
--   {s:<sid>}:pu   the session's calls that are under way
--   {s:<sid>}:p    name -> call      {s:<sid>}:pl   "<call> <bytes> <name>" of those that have ended, in order
--
-- A delegate is a session in which a worker acts for whoever asks: it has their rights, is bound to no
-- gateway, hears of nothing, and ends with the call.

local ASKERS_KEPT = 8

local function call_key(id, part)
  return '{p:' .. id .. '}' .. (part or '')
end

-- Askers with a name that the session no longer has are told nothing, and make room. False: there is none.
local function call_add_asker(id, client, queue, correlation)
  if queue == '' or correlation == '' then
    return true
  end
  local askers, asker = call_key(id, ':a'), client .. '\n' .. queue .. '\n' .. correlation
  redis.call('LREM', askers, 0, asker)
  local oldest = redis.call('LINDEX', askers, -ASKERS_KEPT)
  if oldest and string.match(oldest, '^[^\n]*') == client then
    return false
  end
  redis.call('RPUSH', askers, asker)
  redis.call('LTRIM', askers, -ASKERS_KEPT, -1)
  return true
end

local function call_forget(id)
  redis.call('DEL', call_key(id), call_key(id, ':a'))
end

-- Nobody waits for it any more; its delegate ends when the next look for idle ones comes.
local function call_abandon(id)
  local delegate = redis.call('HGET', call_key(id), 'delegate')
  if delegate then
    redis.call('ZADD', 'idle', 0, delegate)
  end
  redis.call('ZREM', 'processes', id)
  call_forget(id)
end

-- In the caller's name until this time at most.
local function delegate_make(caller, client, now, limit)
  local s = redis.call('HMGET', session_key(caller), 'user', 'me')
  local sid = tostring(redis.call('INCR', 's:next'))
  redis.call('HSET', session_key(sid), 'user', s[1], 'me', s[2] or '', 'device', '', 'dialect', 'process',
    'caller', caller, 'created', now, 'client', client, 'gw', '', 'epoch', 1, 'seen', now)
  redis.call('SET', 'c:' .. client, sid)
  redis.call('ZADD', session_key(sid, ':c'), 1, client)
  session_give(sid, s[1])
  redis.call('ZADD', 'idle', limit, sid)
  return sid
end

local function delegate_end(sid, now, known_s)
  if sid and redis.call('HEXISTS', session_key(sid), 'ended') == 0
    and redis.call('EXISTS', session_key(sid)) == 1 then
    session_end(sid, now, 'its call has ended', known_s, now)
  end
end

-- Who is told what becomes of the call: how, client, queue, correlation id, for each. Nobody, if the
-- session has no connection now.
local function call_recipients(id, sid)
  local session = sid and session_read(sid)
  if not session then
    return {}
  end
  local list = {}
  for _, asker in ipairs(redis.call('LRANGE', call_key(id, ':a'), 0, -1)) do
    local client, queue, correlation = string.match(asker, '^([^\n]*)\n([^\n]*)\n(.*)$')
    if client == session.client then
      for _, part in ipairs({ 'reply', client, queue, correlation }) do
        table.insert(list, part)
      end
    end
  end
  if #list == 0 and session.gateway ~= '' then
    return { 'again', session.client, session.gateway, '' }
  end
  return list
end
