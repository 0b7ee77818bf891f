-- One step of the job that removes what an ended session owns and closes its books.
-- Arguments: job, session, at most, lease until. Returns ok, done.
local job, sid, most, lease = arg(), arg(), arg_number(), arg()

for _, item in ipairs(redis.call('SPOP', session_key(sid, ':w'), most)) do
  unwatch(sid, item)
end
local marks = redis.call('HSCAN', session_key(sid, ':m'), 0, 'COUNT', most)[2]
for i = 1, #marks, 2 do
  mark_end(sid, marks[i], 'ended')
end
for _, class in ipairs(redis.call('SMEMBERS', session_key(sid, ':k'))) do
  redis.call('ZREM', class_key(class, ':w'), sid)
end
redis.call('DEL', session_key(sid, ':k'))
for _, call in ipairs(redis.call('SPOP', session_key(sid, ':pu'), most)) do
  call_abandon(call)
end
-- A result is forgotten with all of its call, so what is under way goes first, which knows its delegate.
local is_under_way = redis.call('EXISTS', session_key(sid, ':pu')) == 1
local results = is_under_way and {} or redis.call('HSCAN', session_key(sid, ':p'), 0, 'COUNT', most)[2]
for i = 1, #results, 2 do
  call_forget(results[i + 1])
  redis.call('HDEL', session_key(sid, ':p'), results[i])
end
if redis.call('EXISTS', session_key(sid, ':w'), session_key(sid, ':m'), session_key(sid, ':pu'),
  session_key(sid, ':p')) > 0 then
  redis.call('ZADD', 'jobs', lease, job)
  return { 'ok', 0 }
end
redis.call('DEL', job_key(job), session_key(sid, ':d'), session_key(sid, ':b'), session_key(sid, ':pl'))
redis.call('ZREM', 'jobs', job)
redis.call('ZREM', 'sessions', sid)
redis.call('SREM', 'anonymous', sid)
return { 'ok', 1 }
