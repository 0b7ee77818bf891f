-- Some of the sessions, in the order of their making.
-- Arguments: the session behind which to go on, at most.
-- Returns list of session, client, user, gateway, address, since when it is bound or not, watched objects,
-- watched classes, marks, open replies.
local after, most = arg(), arg()

local list = {}
for _, sid in ipairs(redis.call('ZRANGEBYSCORE', 'sessions', '(' .. after, '+inf', 'LIMIT', 0, most)) do
  local s = redis.call('HMGET', session_key(sid), 'client', 'user', 'gw', 'address', 'seen')
  table.insert(list, { sid, s[1] or '', s[2] or '', s[3] or '', s[4] or '', s[5] or '0',
    redis.call('SCARD', session_key(sid, ':w')), redis.call('SCARD', session_key(sid, ':k')),
    redis.call('HLEN', session_key(sid, ':m')), redis.call('HLEN', session_key(sid, ':o')) })
end
return list
