-- Keeps a request as open until its reply is confirmed (design section 9, "Replies"). A session that
-- has too many gets no more repeated.
-- Arguments: client, accepted, messageId, request, due, at most, most bytes.
local client, accepted, id, request, due = arg(), arg_number(), arg(), arg(), arg()
local most, most_bytes = arg_number(), arg_number()

local sid, ended = session_of(client, accepted)
if not sid or ended then
  return { 'client' }
end
local open, bytes = session_key(sid, ':o'), redis.call('HGET', session_key(sid), 'openBytes') or 0
if redis.call('HEXISTS', open, id) == 1 or redis.call('HLEN', open) >= most
  or bytes + #request > most_bytes then
  return { 'ok' }
end
redis.call('HSET', open, id, request)
redis.call('HINCRBY', session_key(sid), 'openBytes', #request)
due_at(sid, '=' .. id, due)
due_refresh(sid, session_read(sid))
return { 'ok' }
