-- One step of the job that unbinds the sessions of a gateway that is gone. Their marks wait for the
-- clients' return.
-- Arguments: job, now, lease until, at most, for how long sessions may be idle. Returns done (1 or 0).
local job, now, lease, most, idle = arg(), arg_number(), arg(), arg(), arg_idle()

local gateway = redis.call('HGET', job_key(job), 'gateway')
if not gateway then
  return 1
end
local sessions = gateway_key(gateway)
redis.call('ZADD', 'jobs', lease, job)
if not redis.call('ZSCORE', 'gateways', gateway) then
  for _, sid in ipairs(redis.call('SRANDMEMBER', sessions, most)) do
    if redis.call('HGET', session_key(sid), 'gw') == gateway then
      session_unbind(sid, now, idle)
    else
      redis.call('SREM', sessions, sid)
    end
  end
  if redis.call('EXISTS', sessions) == 1 then
    return 0
  end
end
redis.call('DEL', job_key(job))
redis.call('ZREM', 'jobs', job)
return 1
