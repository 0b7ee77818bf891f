-- The answer to a return has gone out (resume.lua): what the session has missed may follow, unless it has
-- begun to be told already.
-- Arguments: session, until when it was to be told nothing.
local sid, quiet = arg(), arg()
local s = redis.call('HMGET', session_key(sid), 'quiet', 'block')
if s[1] == quiet and not s[2] then
  redis.call('HDEL', session_key(sid), 'quiet')
end
return { 'ok' }
