-- Orders the migration to a model; or finds the one that runs. One to another model, by which no agent
-- runs any more, is given up.
-- Arguments: digest of the model, its text, agents that were last heard of before this are gone, lease
-- until, objects to go through.
-- Returns agents, list of those with another model | ok, job.
local digest, text, since, lease, total = arg(), arg(), arg_number(), arg(), arg()

local others = agents_with_another(digest, since)
if #others > 0 then
  return { 'agents', others }
end
local running, running_to = migration_running()
if running and running_to == digest then
  return { 'ok', running }
elseif running then
  redis.call('DEL', job_key(running))
  redis.call('ZREM', 'jobs', running)
end
local id = tostring(redis.call('INCR', 'j:next'))
redis.call('HSET', job_key(id), 'type', 'migrate', 'digest', digest, 'text', text, 'class', 0,
  'last', '', 'done', 0, 'total', total)
redis.call('HSET', 'model', 'job', id)
redis.call('ZADD', 'jobs', lease, id)
return { 'ok', id }
