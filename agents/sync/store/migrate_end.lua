-- The migration has gone through everything: its model is the applied one, and its indexes are built
-- but for those that duplicates break. If an agent has worked by another model meanwhile, all has to
-- be done again. What became of it can be read for a while.
-- Arguments: job, how long it is remembered in s, list of the model's indexes, "<owner>:<columns>".
-- Returns gone | ok.
local id, remembered_s, indexes = arg(), arg(), arg_list()

local job = redis.call('HMGET', job_key(id), 'digest', 'text', 'ended', 'spoiled')
if not job[1] or job[3] then
  return { 'gone' }
end
local broken = {}
for _, index in ipairs(indexes) do
  local duplicates = job_key(id) .. ':' .. index
  if redis.call('EXPIRE', duplicates, remembered_s) == 1 then
    table.insert(broken, index)
    redis.call('SREM', 'model:built', index)
  elseif not job[4] then
    redis.call('SADD', 'model:built', index)
  end
end
if not job[4] then
  redis.call('HSET', 'model', 'applied', job[2], 'digest', job[1])
  redis.call('HINCRBY', 'model', 'number', 1)
end
redis.call('HDEL', job_key(id), 'text')
redis.call('HSET', job_key(id), 'ended', 1, 'broken', table.concat(broken, '\n'))
redis.call('EXPIRE', job_key(id), remembered_s)
redis.call('ZREM', 'jobs', id)
redis.call('HDEL', 'model', 'job')
return { 'ok' }
