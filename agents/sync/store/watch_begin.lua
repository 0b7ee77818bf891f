-- A value that is due is computed anew; or, if nobody watches it any more, dropped step by step.
-- Arguments: item, now, lease until, at most.
-- Returns compute, run, touched, is the object there (1 or 0) | dropping | gone.
local item, now, lease, most = arg(), arg_number(), arg(), arg_number()
local key = object_key(item)

if redis.call('EXISTS', object_key(item, ':w')) == 1 then
  local run, touched = run_begin(item, now, lease)
  return { 'compute', run, touched, is_live(item_ref(item)) and 1 or 0 }
end
redis.call('DEL', key, object_key(item, ':a'))
local dependencies = redis.call('ZRANGE', object_key(item, ':d'), 0, most - 1)
depend_no_more(item, dependencies)
if #dependencies == most then
  redis.call('ZADD', 'values', lease, item)
  return { 'dropping' }
end
redis.call('ZREM', 'values', item)
redis.call('ZREM', 'values:models', item)
return { 'gone' }
