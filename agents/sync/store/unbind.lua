-- A push came back from the broker: the gateway's queue is gone, and with it the binding. Marks wait
-- for the client's return.
-- Arguments: now, list of session, epoch.
local now, list = arg(), arg_list()
for i = 1, #list, 2 do
  if redis.call('HGET', session_key(list[i]), 'epoch') == list[i + 1] then
    session_unbind(list[i], now)
  end
end
return { 'ok' }
