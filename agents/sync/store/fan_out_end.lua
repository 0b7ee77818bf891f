-- The fan-out is complete, its pushes are confirmed and nothing newer was overtaken. What was removed is
-- watched no more; the wishes of the content protocol stay, for whatever has this key later.
-- Arguments: job.
local id = arg()
local job = redis.call('HMGET', job_key(id), 'ref', 'kind')
if job[2] == 'd' and not is_live(job[1]) then
  redis.call('DEL', object_key(job[1], ':w'))
end
redis.call('DEL', job_key(id))
redis.call('ZREM', 'jobs', id)
return { 'ok' }
