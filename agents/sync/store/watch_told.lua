-- A process has answered, or failed, which is looked at again later: who waits for the value?
-- Arguments: item, when to look again ("": it has answered), how many were told, at most.
-- Returns who waits, the next ones.
local item, later, told, most = arg(), arg(), arg_number(), arg_number()
local list = object_key(item, ':a')

redis.call('HDEL', object_key(item), 'asking')
if later ~= '' then
  redis.call('ZADD', 'values', 'XX', later, item)
end
if told > 0 then
  redis.call('LTRIM', list, told, -1)
end
return redis.call('LRANGE', list, 0, most - 1)
