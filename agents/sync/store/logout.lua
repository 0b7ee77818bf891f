-- "logout" (spec 1.8): the session ends. Its names stay for a while, for requests that were accepted
-- before; what it owns goes by a job. That of a persistent client only loses its binding, unless it is
-- to be destroyed.
-- Arguments: client, accepted, now, lease until, seconds for which ended sessions are known, destroy
-- (1 or 0).
-- Returns client | ok, session | ok, session, job.
local client, accepted, now, lease, known = arg(), arg_number(), arg_number(), arg(), arg()
local destroy = arg() == '1'

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
if ended then
  return { 'ok', sid }
end
session_unbind(sid, now)
if not destroy and redis.call('HEXISTS', session_key(sid), 'persistent') == 1 then
  return { 'ok', sid }
end
redis.call('HSET', session_key(sid), 'ended', accepted)
redis.call('SREM', '{u:' .. redis.call('HGET', session_key(sid), 'user') .. '}:s', sid)
for _, name in ipairs(redis.call('SMEMBERS', session_key(sid, ':c'))) do
  redis.call('EXPIRE', 'c:' .. name, known)
end
redis.call('EXPIRE', session_key(sid), known)
redis.call('DEL', session_key(sid, ':c'), session_key(sid, ':rn'))

local job = redis.call('INCR', 'j:next')
redis.call('HSET', job_key(job), 'type', 'end', 'session', sid)
redis.call('ZADD', 'jobs', lease, job)
return { 'ok', sid, tostring(job) }
