-- One step of the job that touches the values which depend on what was written (watcher.lua). Those that are
-- due at once are claimed for the caller, as far as it takes them.
-- Arguments: job, now, lease until, at most, ms between two computations, how many the caller takes.
-- Returns list of items, is there more (1 or 0).
local id, now, lease, left = arg(), arg_number(), arg(), arg_number()
local window, most_claimed = arg_number(), arg_number()
local queue, claimed = job_key(id) .. ':q', {}

local function claim(item, due)
  if redis.call('ZADD', 'values', 'NX', due, item) == 1 and due <= now and #claimed < most_claimed then
    redis.call('ZADD', 'values', lease, item)
    table.insert(claimed, item)
  end
end

-- What was read by no run since the settled one is left behind. What the run that is under way has not
-- read yet it will see as it is now, if it reads that at all.
local function touch_value(item, ref, what)
  local value = redis.call('HMGET', object_key(item), 'begun', 'settled', 'at')
  local run = redis.call('ZSCORE', object_key(item, ':d'), dependency(ref, what))
  if not value[1] or not run or tonumber(run) < tonumber(value[2] or 0) then
    redis.call('ZREM', object_key(ref, ':dw'), dependent(item, what))
  elseif tonumber(run) >= tonumber(value[1]) then
    redis.call('HINCRBY', object_key(item), 'touched', 1)
    claim(item, math.max(now, (value[3] or 0) + window))
  end
end

-- What depends on this; "*" stands for all of the object.
local function dependents(ref, what, after)
  local from, to = '[' .. what .. '\n', '(' .. what .. '\v'
  if what == '*' then
    from, to = '-', '+'
  end
  return redis.call('ZRANGEBYLEX', object_key(ref, ':dw'), after and '(' .. after or from, to, 'LIMIT', 0,
    left)
end

local entry = redis.call('LINDEX', queue, 0)
while left > 0 and entry do
  local ref, what = field_and_ref(entry)
  local found = dependents(ref, what, redis.call('HGET', job_key(id), 'after'))
  for _, name in ipairs(found) do
    local its_what, item = field_and_ref(name)
    touch_value(item, ref, its_what)
  end
  if #found == left then
    redis.call('HSET', job_key(id), 'after', found[left])
  else
    redis.call('LPOP', queue)
    redis.call('HDEL', job_key(id), 'after')
    entry = redis.call('LINDEX', queue, 0)
  end
  left = left - #found - 1
end

if redis.call('EXISTS', queue) == 1 then
  redis.call('ZADD', 'jobs', lease, id)
  return { claimed, 1 }
end
redis.call('DEL', job_key(id))
redis.call('ZREM', 'jobs', id)
return { claimed, 0 }
