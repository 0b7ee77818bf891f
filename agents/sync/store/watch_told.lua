-- A process has answered, or failed, which is looked at again later: who waits for the value?
-- Arguments: item, when to look again ("": it has answered), how many were told, at most, restricted classes.
-- Returns the next ones who wait: each as it was said (watch_wait.lua), and whether they may read the object,
-- as they could when they asked (1 or 0).
local item, later, told, most = arg(), arg(), arg_number(), arg_number()
local restricted = arg_restricted()
local list, waiting = object_key(item, ':a'), {}

redis.call('HDEL', object_key(item), 'asking')
if later ~= '' then
  redis.call('ZADD', 'values', 'XX', later, item)
end
if told > 0 then
  redis.call('LTRIM', list, told, -1)
end

local function may_hear(who)
  local sid = redis.call('GET', 'c:' .. string.match(who, '^[^\n]*\n[^\n]*\n([^\n]*)'))
  return sid and may_read(sid, item_ref(item), restricted)
end

for _, who in ipairs(redis.call('LRANGE', list, 0, most - 1)) do
  table.insert(waiting, who)
  table.insert(waiting, may_hear(who) and 1 or 0)
end
return waiting
