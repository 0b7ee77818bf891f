-- One step of a removal with many consequences: the next ones that refer to what has gone. Its queue
-- holds the removed objects whose references were not all followed yet.
-- Arguments: those of removal.lua, job, lease until, at most.
-- Returns gone | ok, done, list of job, ref.
local id, lease, most = arg(), arg(), arg_number()

local queue = job_key(id) .. ':q'
local head = redis.call('LINDEX', queue, 0)
if not head then
  redis.call('DEL', job_key(id))
  redis.call('ZREM', 'jobs', id)
  return { 'gone' }
end
local now = tonumber(redis.call('HGET', job_key(id), 'time'))
redis.call('ZADD', 'jobs', lease, id)

local entries = redis.call('ZRANGE', object_key(head, ':r'), 0, most - 1)
for _, entry in ipairs(entries) do
  local field, from = field_and_ref(entry)
  redis.call('ZREM', object_key(head, ':r'), entry)
  if is_live(from) then
    if is_required(from, field) then
      take_down(from, '', now, lease)
      if redis.call('EXISTS', object_key(from, ':r')) == 1 then
        redis.call('RPUSH', queue, from)
      end
    else
      clear(from, field, head, now, lease)
    end
  end
end
if #entries < most then
  redis.call('LPOP', queue)
end
return { 'ok', 0, jobs }
