-- Gateways live as long as they renew their lease (design section 7). Shared by the scripts below.

-- The gateway is gone: a job unbinds its sessions, unless it says meanwhile that it lives.
local function gateway_gone(gateway, due)
  redis.call('HDEL', 'leases', gateway)
  if redis.call('ZREM', 'gateways', gateway) == 1
    and redis.call('EXISTS', gateway_key(gateway)) == 1 then
    local job = redis.call('INCR', 'j:next')
    redis.call('HSET', job_key(job), 'type', 'gateway', 'gateway', gateway)
    redis.call('ZADD', 'jobs', due, job)
  end
end
