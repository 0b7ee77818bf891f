-- A call has ended: with its answer, an error, or at its deadline; the first of these counts. Who has died
-- before the client was told says it again.
-- Arguments: now, call, what ends it, an id of this step, was that delivered again (1 or 0), kind (r result, e error), code and name
-- of an error, body, is it kept (1 or 0), most results and most bytes kept of a session, seconds for which they
-- are and ended sessions are known, look at it again then (0: no need).
-- Returns unknown | late | ok, process, messageId, watcher ("": none), list of how, client, queue, correlation id.
local now, id, by, step, delivered_again = arg(), arg(), arg(), arg(), arg() == '1'
local kind, code, error_name, body, is_kept = arg(), arg(), arg(), arg(), arg() == '1'
local most, most_bytes, known_s, look = arg_number(), arg_number(), arg(), arg()

local call = redis.call('HMGET', call_key(id), 'session', 'process', 'message', 'name', 'by', 'delegate', 'watcher',
  'step')
local sid, name = call[1], call[4]
if not call[2] then
  redis.call('ZREM', 'processes', id)
  return { 'unknown' }
elseif call[5] and call[8] ~= step and not (delivered_again and call[5] == by) then
  return { 'late' }
end

-- The results of a session are bounded; but one that may have to be said again is not forgotten.
local function is_open(result_name)
  return redis.call('HEXISTS', session_key(sid, ':o'), message_of(result_name)) == 1
end

local function forget_oldest()
  local oldest = redis.call('LPOP', session_key(sid, ':pl'))
  local old, bytes, old_name = string.match(oldest, '^(%S+) (%d+) (.*)$')
  if is_open(old_name) then
    redis.call('RPUSH', session_key(sid, ':pl'), oldest)
    return 0
  end
  if redis.call('HGET', session_key(sid, ':p'), old_name) == old then
    redis.call('HDEL', session_key(sid, ':p'), old_name)
  end
  call_forget(old)
  redis.call('HINCRBY', session_key(sid), 'callBytes', -bytes)
  return 1
end

local function keep_among_others()
  local count = redis.call('RPUSH', session_key(sid, ':pl'), id .. ' ' .. (is_kept and #body or 0) .. ' ' .. name)
  local bytes = redis.call('HINCRBY', session_key(sid), 'callBytes', is_kept and #body or 0)
  for _ = 1, count do
    if count <= most and bytes <= most_bytes then
      break
    end
    count = count - forget_oldest()
    bytes = tonumber(redis.call('HGET', session_key(sid), 'callBytes'))
  end
end

local function finish()
  redis.call('HSET', call_key(id), 'by', by, 'step', step, 'kind', kind, 'code', code, 'error', error_name)
  if is_kept then
    redis.call('HSET', call_key(id), 'body', body)
  end
  delegate_end(call[6], now, known_s)
  local is_listed = sid and redis.call('SREM', session_key(sid, ':pu'), id) == 1
  if is_listed and name ~= '' then
    keep_among_others()
  end
  if not (is_listed and name ~= '' and is_open(name)) then
    redis.call('EXPIRE', call_key(id), known_s)
    redis.call('EXPIRE', call_key(id, ':a'), known_s)
  end
end

if not call[5] then
  finish()
end
if look ~= '0' then
  redis.call('ZADD', 'processes', look, id)
else
  redis.call('ZREM', 'processes', id)
end
return { 'ok', call[2], call[3] or '', call[7] or '', call_recipients(id, sid) }
