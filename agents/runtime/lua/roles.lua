-- A user has other roles than before: what their sessions may read is looked at anew, by a job
-- (sync/store/review_roles.lua), and what depends on the roles is touched (watcher.lua).
local function roles_changed(user, lease)
  if field_changed then
    field_changed(user_ref(user), 'roles')
  end
  local job = tostring(redis.call('INCR', 'j:next'))
  if redis.call('SUNIONSTORE', job_key(job) .. ':s', user_key(user, ':s')) == 0 then
    return
  end
  redis.call('HSET', job_key(job), 'type', 'roles', 'user', user)
  redis.call('ZADD', 'jobs', lease, job)
end
