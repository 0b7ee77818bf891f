-- A push came back from the broker: the gateway's queue is gone, and with it the binding. Marks wait
-- for the client's return.
-- Arguments: now, list of session, epoch.
local now, list = arg(), arg_list()
for i = 1, #list, 2 do
  local key = session_key(list[i])
  if redis.call('HGET', key, 'epoch') == list[i + 1] then
    redis.call('HSET', key, 'gw', '', 'seen', now)
    redis.call('ZREM', 'due', list[i])
  end
end
return { 'ok' }
