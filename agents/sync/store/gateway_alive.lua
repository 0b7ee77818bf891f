-- "gatewayAlive": the gateway renews its lease.
-- Arguments: gateway, lease until.
-- Returns the number of the lease. It is another one when the lease before had ended: then the gateway
-- announces its clients.
local gateway, lease = arg(), arg()
if redis.call('HEXISTS', 'leases', gateway) == 0 then
  redis.call('HSET', 'leases', gateway, redis.call('INCR', 'leases:next'))
end
redis.call('ZADD', 'gateways', lease, gateway)
return tonumber(redis.call('HGET', 'leases', gateway))
