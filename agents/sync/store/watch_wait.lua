-- A value that a process says is to be asked for; whoever waits for the first one is answered when it is
-- there (watch_told.lua).
-- Arguments: item, who waits ("": nobody, it is due), now, until when an answer is waited for, digest of the
-- agent's model.
-- Returns ok, version, value | waiting | ask, run, touched.
local item, waiting, now, deadline, model = arg(), arg(), arg_number(), arg(), arg()
local key = object_key(item)

if waiting ~= '' then
  local stored = redis.call('HMGET', key, '@v', 'value', 'model', 'asking')
  if stored[2] and stored[3] == model then
    return { 'ok', stored[1], stored[2] }
  end
  redis.call('RPUSH', object_key(item, ':a'), waiting)
  if tonumber(stored[4] or 0) > now then
    return { 'waiting' }
  end
end
local run, touched = run_begin(item, now, deadline)
redis.call('HSET', key, 'asking', deadline)
return { 'ask', run, touched }
