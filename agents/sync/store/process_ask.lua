-- The server itself runs a process, for the value of a watcher.
-- Arguments: call, process, watcher, deadline. Returns ok.
local id, process, watcher, deadline = arg(), arg(), arg(), arg()

if redis.call('EXISTS', call_key(id)) == 0 then
  redis.call('HSET', call_key(id), 'process', process, 'watcher', watcher, 'deadline', deadline)
  redis.call('ZADD', 'processes', deadline, id)
end
return { 'ok' }
