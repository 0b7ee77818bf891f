-- The model that the store is kept by.
--
--   model          hash: applied, its text; digest of that; number, how many were applied so far; job,
--                  the migration that runs
--   model:built    the indexes, as "<owner>:<columns>", in which every object is that belongs there
--   model:agents   who runs: name -> "<digest of its model> <when it last said so>"
--
-- An index is built when some migration has gone through all objects while every agent maintained
-- it. One that an agent does not maintain is built no longer.

local function index_is_built(index)
  return redis.call('SISMEMBER', 'model:built', index.owner .. ':' .. index.columns) == 1
end

-- Forgets agents that were last heard of before `since`; the names of those with another model.
local function agents_with_another(digest, since)
  local others = {}
  local agents = redis.call('HGETALL', 'model:agents')
  for i = 1, #agents, 2 do
    local theirs, seen = string.match(agents[i + 1], '^(%S+) (%d+)$')
    if tonumber(seen) < since then
      redis.call('HDEL', 'model:agents', agents[i])
    elseif theirs ~= digest then
      table.insert(others, agents[i])
    end
  end
  return others
end

-- The migration that runs and the digest of its model; nil if none does.
local function migration_running()
  local job = redis.call('HGET', 'model', 'job')
  if job then
    return job, redis.call('HGET', job_key(job), 'digest')
  end
  return nil
end
