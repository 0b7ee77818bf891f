-- "logout" (spec 1.8): the session ends. Its names stay for a while, for requests that were accepted
-- before; what it owns goes by a job. That of a persistent client only loses its binding, unless it is
-- to be destroyed.
-- Arguments: client, accepted, now, lease until, seconds for which ended sessions are known, destroy
-- (1 or 0), for how long sessions may be idle.
-- Returns client | ok, session | ok, session, job.
local client, accepted, now, lease, known_s = arg(), arg_number(), arg_number(), arg(), arg()
local destroy, idle = arg() == '1', arg_idle()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
if ended then
  return { 'ok', sid }
end
if not destroy and redis.call('HEXISTS', session_key(sid), 'persistent') == 1 then
  session_unbind(sid, now, idle)
  return { 'ok', sid }
end
return { 'ok', sid, session_end(sid, accepted, 'logged out', known_s, lease) }
