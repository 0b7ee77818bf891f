-- What a process has said that it has read, some of it. It may have changed since without touching the
-- value, unless that depended on it before: then the process is asked again.
-- Arguments: item, run; then, to the end, ref, what.
-- Returns gone | ok.
local item, run = arg(), arg()
local key = object_key(item)

local stored = redis.call('HMGET', key, '@c', 'settled')
if not stored[1] then
  return { 'gone' }
end
local is_new = false
while taken < #ARGV do
  local ref, what = arg(), arg()
  local before = redis.call('ZSCORE', object_key(item, ':d'), dependency(ref, what))
  is_new = is_new or not before or tonumber(before) < tonumber(stored[2] or 0)
  depend(item, run, ref, what)
end
if is_new then
  redis.call('HINCRBY', key, 'touched', 1)
end
return { 'ok' }
