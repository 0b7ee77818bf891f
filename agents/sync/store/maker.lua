-- Who makes an object: the pair of the object that stands for the user, for fields that show it.
-- Arguments: client, accepted.
-- Returns client | ok, session, pair ("": none).
local client, accepted = arg(), arg_number()

local sid = session_of(client, accepted)
if not sid then
  return { 'client' }
end
return { 'ok', sid, redis.call('HGET', session_key(sid), 'me') or '' }
