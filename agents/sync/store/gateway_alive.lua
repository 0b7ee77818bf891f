-- "gatewayAlive": the gateway renews its lease.
-- Arguments: gateway, lease until. Returns 1 if it had one, else 0: then it announces its clients.
local gateway, lease = arg(), arg()
local known = redis.call('ZSCORE', 'gateways', gateway)
redis.call('ZADD', 'gateways', lease, gateway)
return known and 1 or 0
