-- Takes work that is due: jobs whose worker has died, sessions with marks to be sent again. What is
-- taken is not due again before the lease is over.
-- Arguments: now, lease until, at most of each. Returns jobs, their types, sessions.
local now, lease, most = arg(), arg(), arg()

local jobs = redis.call('ZRANGEBYSCORE', 'jobs', '-inf', now, 'LIMIT', 0, most)
local list = {}
for _, id in ipairs(jobs) do
  local job = redis.call('HMGET', job_key(id), 'type', 'session')
  if job[1] then
    redis.call('ZADD', 'jobs', lease, id)
    table.insert(list, { id, job[1], job[2] or '' })
  else
    redis.call('ZREM', 'jobs', id)
  end
end
local sessions = redis.call('ZRANGEBYSCORE', 'due', '-inf', now, 'LIMIT', 0, most)
for _, sid in ipairs(sessions) do
  redis.call('ZADD', 'due', lease, sid)
end
return { list, sessions }
