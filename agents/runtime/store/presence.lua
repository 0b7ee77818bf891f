-- An agent runs. The first one of a store applies its model: nothing has to be built then. What this
-- agent's model does not know is maintained no longer by all, and a migration to another model is
-- spoiled.
-- Arguments: the agent's name, digest of its model, text of its model ("": not now), now, after how
-- many ms a silent agent is gone, list of the indexes that it maintains, "<owner>:<columns>".
-- Returns the digest of the applied model; "" if there is none yet, and no text was given.
local name, digest, text, now, patience = arg(), arg(), arg(), arg_number(), arg_number()
local maintained = arg_list()

if redis.call('HEXISTS', 'model', 'digest') == 0 then
  if text == '' then
    return { '' }
  end
  redis.call('HSET', 'model', 'applied', text, 'digest', digest)
  redis.call('HINCRBY', 'model', 'number', 1)
  for _, index in ipairs(maintained) do
    redis.call('SADD', 'model:built', index)
  end
end

local mine = {}
for _, index in ipairs(maintained) do
  mine[index] = true
end
for _, index in ipairs(redis.call('SMEMBERS', 'model:built')) do
  if not mine[index] then
    redis.call('SREM', 'model:built', index)
  end
end
local running, running_to = migration_running()
if running and running_to ~= digest then
  redis.call('HSET', job_key(running), 'spoiled', name)
end
redis.call('HSET', 'model:agents', name, string.format('%s %d', digest, now))
agents_with_another(digest, now - patience)
return { redis.call('HGET', 'model', 'digest') }
