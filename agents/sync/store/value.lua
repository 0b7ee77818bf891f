-- Watched values: what is derived from an object (spec 9), kept up to date as long as somebody watches it.
-- agents/sync/watchers/watchers.h has the whole story. One is stored like an object under its item,
-- "~<ref>\t<name>\t<params>", of those that are computed with the rights of one session also "\t<session>":
--
--   {o:<item>}      hash: @c when it was made, @v its version, `value` its text once it was computed,
--                   `model` by which; touched, computed: how often; at: when it was computed last; settled:
--                   the run that has done it; begun: the last one; gone: 1 when it was told that the object
--                   is not there
--   {o:<item>}:w    who watches it
--   {o:<item>}:a    requests that wait until a process has said what it is; `asking`: how long that may take
--   {o:<item>}:d    zset: what it was made of -> the last run that has read that
--   {o:<ref>}:dw    zset of scores 0: "<what>\n<item>", the same from the side of the objects (watcher.lua)
--   values          zset: item -> when it is to be looked at: it was touched, is being computed until then
--                   at most, or nobody watches it
--   values:models   zset: item -> which model it was computed by (value_model.lua)
--   values:runs     counts computations. What a run has read before the last one that was settled counts no
--                   more.

local function dependency(ref, what)
  return what .. '\n' .. ref
end

local function dependent(item, what)
  return what .. '\n' .. item
end

-- The run is about to read this: whoever changes it from now on touches the value.
local function depend(item, run, ref, what)
  redis.call('ZADD', object_key(item, ':d'), 'GT', run, dependency(ref, what))
  redis.call('ZADD', object_key(ref, ':dw'), 0, dependent(item, what))
end

-- The value does not depend on these any more.
local function depend_no_more(item, dependencies)
  for _, name in ipairs(dependencies) do
    local what, ref = field_and_ref(name)
    redis.call('ZREM', object_key(ref, ':dw'), dependent(item, what))
  end
  if #dependencies > 0 then
    redis.call('ZREM', object_key(item, ':d'), unpack(dependencies))
  end
end

-- Forgets what was read before the settled run. Is there more of that?
local function sweep(item, most)
  local settled = redis.call('HGET', object_key(item), 'settled')
  local stale = redis.call('ZRANGEBYSCORE', object_key(item, ':d'), '-inf', '(' .. (settled or 0),
    'LIMIT', 0, most)
  depend_no_more(item, stale)
  return #stale == most
end

-- A computation begins: its number, and how often the value was touched until now.
local function run_begin(item, now, lease)
  local key, run = object_key(item), redis.call('INCR', 'values:runs')
  redis.call('HSETNX', key, '@c', now)
  redis.call('HSETNX', key, '@v', 0)
  redis.call('HSET', key, 'begun', run)
  redis.call('ZADD', 'values', lease, item)
  depend(item, run, item_ref(item), '@')
  return tostring(run), redis.call('HGET', key, 'touched') or '0'
end
