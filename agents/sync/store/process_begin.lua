-- "runProcess": the call is there, once, however often it is asked for.
-- Arguments: client, accepted, now, call, name ("": none), messageId ("": none), process, who may run it, deadline,
-- wants progress (1 or 0), whom to tell, queue and correlation id for the answer, client id of a delegate
-- ("": none) and until when it acts at most, can it be served now (1 or 0), delivered again (1 or 0), most
-- calls of a session.
-- Returns client | forbidden | absent | full | known, which is under way |
--   begin, call, session, user, client id of the delegate, deadline: to be published |
--   ended, process, kind, code, error, body, whether that is still kept.
local client, accepted, now = arg(), arg_number(), arg_number()
local id, name, message, process, run = arg(), arg(), arg(), arg(), arg()
local deadline, progress = arg(), arg()
local told, queue, correlation = arg(), arg(), arg()
local delegate, delegate_until = arg(), arg()
local can_be_served, delivered_again, most = arg() == '1', arg() == '1', arg_number()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end

local function begin_row(call)
  local c = redis.call('HMGET', call_key(call), 'deadline', 'actor')
  return { 'begin', call, sid, user_of(sid), c[2] or '', c[1] }
end

-- Whoever had the request before may have died before the call was published; who runs this step again has
-- not heard that it is there.
local function known(call)
  local c = redis.call('HMGET', call_key(call), 'deadline', 'by', 'process', 'kind', 'code', 'error', 'body')
  if not c[1] then
    return nil
  elseif c[2] then
    return { 'ended', c[3], c[4], c[5], c[6], c[7] or '', c[7] and 1 or 0 }
  end
  if not call_add_asker(call, told, queue, correlation) then
    return { 'full' }
  end
  if call == id or delivered_again and tonumber(c[1]) > now then
    return begin_row(call)
  end
  return { 'known' }
end

local row = known(name ~= '' and redis.call('HGET', session_key(sid, ':p'), name) or id)
if row then
  return row
elseif not allowed(sid, run, nil) then
  return { 'forbidden' }
elseif not can_be_served then
  return { 'absent' }
elseif redis.call('SCARD', session_key(sid, ':pu')) >= most then
  return { 'full' }
end

redis.call('HSET', call_key(id), 'session', sid, 'process', process, 'name', name, 'message', message,
  'deadline', deadline, 'progress', progress)
if delegate ~= '' then
  redis.call('HSET', call_key(id), 'actor', delegate,
    'delegate', delegate_make(sid, delegate, now, delegate_until))
end
call_add_asker(id, told, queue, correlation)
redis.call('ZADD', 'processes', deadline, id)
if not ended then -- else nobody asks for it again
  redis.call('SADD', session_key(sid, ':pu'), id)
  if name ~= '' then
    redis.call('HSET', session_key(sid, ':p'), name, id)
  end
end
return begin_row(id)
