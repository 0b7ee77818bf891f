-- Reply receipts (design section 9): these replies need not be sent again.
-- Arguments: now; then, to the end, client, messageId.
local now = arg_number()

local function confirm(sid, id)
  local request = redis.call('HGET', session_key(sid, ':o'), id)
  if request then
    redis.call('HDEL', session_key(sid, ':o'), id)
    redis.call('HDEL', session_key(sid, ':or'), id)
    redis.call('HINCRBY', session_key(sid), 'openBytes', -#request)
    redis.call('ZREM', session_key(sid, ':d'), '=' .. id)
  end
end

while taken < #ARGV do
  local sid, id = session_of(arg(), now), arg()
  if sid then
    confirm(sid, id)
  end
end
return { 'ok' }
