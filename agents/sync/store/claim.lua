-- Takes work that is due: jobs whose worker has died, sessions with marks to be sent again, users who
-- have come or gone, calls of processes whose time is over, values that are to be computed; sees that
-- gateways have been silent for too long, and sessions idle. What is taken is not due again before the lease
-- is over. While receipts are late nothing is sent again: that would feed an overload. A migration is left to
-- agents with its own model.
-- Arguments: now, lease until, at most of each, seconds for which ended sessions are known, digest of the
-- agent's model, at most of those that are told in blocks, at most of the users, at most of the values.
-- Returns jobs (id, type, session, format), sessions, sessions that are told in blocks, users, calls, watched values.
local now, lease, most, known_s, digest = arg_number(), arg(), arg(), arg(), arg()
local most_blocks, most_users, most_values = arg(), arg(), arg()

local function due_in(list, limit)
  return redis.call('ZRANGEBYSCORE', list, '-inf', now, 'LIMIT', 0, limit or most)
end

local function take(list, limit)
  local items = due_in(list, limit)
  for _, item in ipairs(items) do
    redis.call('ZADD', list, lease, item)
  end
  return items
end

for _, gateway in ipairs(due_in('gateways')) do
  gateway_gone(gateway, now)
end
for _, sid in ipairs(due_in('idle')) do
  session_end(sid, now, 'idle for too long', known_s, now)
end

-- Values that were computed by an earlier model are due.
local function renew_values()
  local place = model_place(digest)
  local stale = redis.call('ZRANGEBYSCORE', 'values:models', '-inf', '(' .. place, 'LIMIT', 0, most_values)
  for _, item in ipairs(stale) do
    redis.call('ZADD', 'values', 'NX', now, item)
    redis.call('ZADD', 'values:models', place, item)
  end
end
if tonumber(most_values) > 0 then
  renew_values()
end

local list = {}
for _, id in ipairs(due_in('jobs')) do
  local job = redis.call('HMGET', job_key(id), 'type', 'session', 'digest', 'v')
  local is_ours = not job[3] or job[3] == digest
  if job[1] and is_ours then
    redis.call('ZADD', 'jobs', lease, id)
    table.insert(list, { id, job[1], job[2] or '', job[4] or '' })
  elseif is_ours then
    redis.call('ZREM', 'jobs', id)
  end
end

local is_late = redis.call('EXISTS', 'receipts:late') == 1
return { list, is_late and {} or take('due'), take('blocks', most_blocks), take('online', most_users),
  take('processes'), take('values', most_values) }
