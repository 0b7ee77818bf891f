-- A message for this gateway came back from the broker: its queue is gone. If the gateway itself is
-- not, it will announce its clients as soon as it has a queue again.
-- Arguments: gateway, now.
local gateway, now = arg(), arg_number()
gateway_gone(gateway, now)
return { 'ok' }
