-- "gatewayAlive": the gateway renews its lease. "leases" has the message that each began with: when that
-- comes twice, it is answered alike, since its first answer may be lost.
-- Arguments: gateway, accepted, lease until.
-- Returns 1 if it had a lease, else 0: then it announces its clients.
local gateway, accepted, lease = arg(), arg(), arg()

if not redis.call('ZSCORE', 'gateways', gateway) then
  redis.call('HSET', 'leases', gateway, accepted)
end
redis.call('ZADD', 'gateways', lease, gateway)
return redis.call('HGET', 'leases', gateway) == accepted and 0 or 1
