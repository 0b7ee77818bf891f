-- Takes work that is due: jobs whose worker has died, sessions with marks to be sent again. What is
-- taken is not due again before the lease is over. A migration is left to agents with its own model.
-- Arguments: now, lease until, at most of each, digest of the agent's model. Returns jobs, their types, sessions.
local now, lease, most, digest = arg(), arg(), arg(), arg()

local jobs = redis.call('ZRANGEBYSCORE', 'jobs', '-inf', now, 'LIMIT', 0, most)
local list = {}
for _, id in ipairs(jobs) do
  local job = redis.call('HMGET', job_key(id), 'type', 'session', 'digest')
  local is_ours = not job[3] or job[3] == digest
  if job[1] and is_ours then
    redis.call('ZADD', 'jobs', lease, id)
    table.insert(list, { id, job[1], job[2] or '' })
  elseif is_ours then
    redis.call('ZREM', 'jobs', id)
  end
end
local sessions = redis.call('ZRANGEBYSCORE', 'due', '-inf', now, 'LIMIT', 0, most)
for _, sid in ipairs(sessions) do
  redis.call('ZADD', 'due', lease, sid)
end
return { list, sessions }
