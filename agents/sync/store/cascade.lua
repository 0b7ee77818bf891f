-- One step of the job that does what is too much for a commit: the next ones that refer to what has
-- gone; when there are none left, the listed fields of one object; then what concerns children
-- (children.lua). Its queue holds the removed objects whose references were not all followed yet, its
-- set the objects with such fields.
-- Arguments: all listings, all children, watchers, those of removal.lua, job, lease until, at most.
-- Returns gone | ok, jobs.
local id, lease, most = arg(), arg(), arg_number()

cascade = id
local queue, listers, links = job_key(id) .. ':q', job_key(id) .. ':l', job_key(id) .. ':c'
local head = redis.call('LINDEX', queue, 0)
local lister = not head and redis.call('SPOP', listers)
if not head and not lister and redis.call('EXISTS', links) == 0 then
  redis.call('DEL', job_key(id))
  redis.call('ZREM', 'jobs', id)
  return { 'gone' }
end
local now = tonumber(redis.call('HGET', job_key(id), 'time'))
redis.call('ZADD', 'jobs', lease, id)

local function follow(entry)
  local field, from = field_and_ref(entry)
  redis.call('ZREM', object_key(head, ':r'), entry)
  if not is_live(from) then
    return
  elseif not is_required(from, field) then
    return clear(from, field, head, now, lease)
  end
  take_down(from, '', now, lease)
  if redis.call('EXISTS', object_key(from, ':r')) == 1 then
    cascade_follow(from, now, lease)
  end
end

if head then
  local entries = redis.call('ZRANGE', object_key(head, ':r'), 0, most - 1)
  for _, entry in ipairs(entries) do
    follow(entry)
  end
  if #entries < most then
    redis.call('LPOP', queue)
  end
elseif lister then
  touch(lister)
else
  children.step(links, most, now, lease)
end
listings_refresh(now, lease)
children.refresh('', 1, now, lease)
watchers.refresh(lease)
return { 'ok', jobs }
