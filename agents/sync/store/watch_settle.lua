-- A computation has come to its value: it is stored, and told to those who watch it if it is another one
-- than before. What a later run has settled already stays.
-- Arguments: item, run, how often the value had been touched when it began, value, is the object gone (1 or
-- 0), session that is told by an answer ("": none), now, ms between two computations, lease until, digest of
-- the model, at most.
-- Returns gone | ok, version, value, list of fan-outs, is there more to sweep (1 or 0).
local item, run, began, value, gone = arg(), arg_number(), arg_number(), arg(), arg()
local asker, now, window, lease = arg(), arg_number(), arg_number(), arg()
local model, most = arg(), arg_number()
local key, watching = object_key(item), object_key(item, ':w')

local stored = redis.call('HMGET', key, '@v', 'value', 'settled', 'touched', 'gone', 'begun')
if not stored[1] then
  return { 'gone' }
elseif run < tonumber(stored[3] or 0) then
  return { 'ok', stored[1], stored[2], jobs, 0 }
end

local function has_others()
  local count = redis.call('ZCARD', watching)
  return count > 1 or (count == 1 and not redis.call('ZSCORE', watching, asker))
end

local version = tonumber(stored[1])
if value ~= stored[2] or (gone == '1' and stored[5] ~= '1') then
  version = redis.call('HINCRBY', key, '@v', 1)
  if has_others() then
    fan_out_to({ watching }, item, 'w', version, asker, 1, lease)
  end
end
redis.call('HSET', key, 'value', value, 'settled', run, 'at', now, 'model', model, 'gone', gone)
redis.call('HINCRBY', key, 'computed', 1)
redis.call('ZADD', 'values:models', model_place(model), item)

if redis.call('EXISTS', watching) == 0 then
  redis.call('ZADD', 'values', 0, item)
elseif tonumber(stored[4] or 0) > began then -- by what it may not have seen
  redis.call('ZADD', 'values', now + window, item)
elseif run == tonumber(stored[6]) then -- else there is another one under way
  redis.call('ZREM', 'values', item)
end
return { 'ok', version, value, jobs, sweep(item, most) and 1 or 0 }
