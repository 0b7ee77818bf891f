-- One step of the job that follows the end of an account: the next of the objects that belong to the user
-- alone goes, with what requires it (spec 5.6), first those of which each user has one, last the one that
-- stands for the user; then what is known of the user.
-- Arguments: all listings, all children, watchers, those of removal.lua, job, now, lease until.
-- Returns gone | ok, jobs, cascade.
local id, now, lease = arg(), arg(), arg()

local user = redis.call('HGET', job_key(id), 'session')
if not user then
  redis.call('ZREM', 'jobs', id)
  return { 'gone' }
end
redis.call('ZADD', 'jobs', lease, id)

-- One that the model has no class for any more stays: nobody sees it.
local function may_go(ref)
  return ref and is_live(ref) and families[class_and_id(ref)] ~= nil
end

local function next_own()
  local row = redis.call('HGETALL', user_key(user))
  for i = 1, #row, 2 do
    local class = string.match(row[i], '^own:(.*)$')
    local ref = class and class .. ':' .. row[i + 1]
    if may_go(ref) and belongs_to(ref, user) then
      return ref
    end
  end
  local me = object_of_user(user)
  return may_go(me) and me
end

local ref = next_own()
if ref then
  remove_all(ref, '', now, lease)
  listings_refresh(now, lease)
  children.refresh('', 1, now, lease)
  watchers.refresh(lease)
  return { 'ok', jobs, cascade }
end
for _, part in ipairs({ '', ':a', ':i', ':r', ':s', ':t', ':b' }) do
  redis.call('DEL', user_key(user, part))
end
redis.call('DEL', job_key(id))
redis.call('ZREM', 'jobs', id)
return { 'gone' }
