-- What returns begin with: who is it, and may they have the session? Then it is bound to the fresh client
-- id, whoever held it before, and all that it must hear of is due. Who comes without a user, and without
-- earlier client ids, has the session to which the token belongs.
local client, gateway, address, user, device, hash, dialect =
  arg(), arg(), arg(), arg(), arg(), arg(), arg()
local earlier, now, accepted = arg_list(), arg_number(), arg_number()

local token = token_good(hash, now)
if not token or (user ~= '' and token.user ~= user) or not token_is_of(token, device) then
  return { 'refused', 'login' }
end

local sid = redis.call('GET', 'c:' .. client)
for i = #earlier, 1, -1 do
  sid = sid or redis.call('GET', 'c:' .. earlier[i])
end
if user == '' then
  user, sid = token.user, sid or redis.call('GET', 'c:' .. token.client)
end
local s = sid and redis.call('HMGET', session_key(sid), 'user', 'ended', 'why', 'client', 'gw', 'dialect')
local bound_client, bound_gateway = s and s[4], s and s[5]
if not s or s[6] ~= dialect then
  return { 'refused', 'unknown' }
elseif s[1] ~= user then
  return { 'refused', 'login' }
elseif s[2] then
  return { 'refused', s[3] }
elseif redis.call('GET', 'c:' .. token.client) ~= sid then
  return { 'refused', 'login' }
end

-- Did it ask before whoever is bound now, and in ignorance of it? Its client has given up waiting and
-- asked again, elsewhere perhaps, and that return has overtaken this one.
local function is_overtaken()
  if accepted >= tonumber(redis.call('HGET', session_key(sid), 'asked') or 0) then
    return false
  end
  for _, name in ipairs(earlier) do
    if name == bound_client then
      return false
    end
  end
  return true
end

-- The first step; a client id that was bound before and is no longer has been taken over. Who has to go
-- is said in every step, since what follows from a step may be lost.
local function take_over()
  local went = bound_gateway ~= '' and bound_client or ''
  redis.call('HSET', session_key(sid), 'went', went, 'wentFrom', bound_gateway)
  session_bind(sid, client, gateway, now, address)
  redis.call('HSET', session_key(sid), 'asked', accepted)
  token_unlist(hash, token)
  token.client, token.modified = client, now
  token_write(hash, token, now)
  redis.call('ZADD', 'logins', token.expires, sid)
  due_all(sid)
end

if bound_client ~= client then
  if redis.call('EXISTS', 'c:' .. client) == 1 or is_overtaken() then
    return { 'refused', 'taken over' }
  end
  take_over()
elseif is_away(sid, client) then
  return { 'refused', 'gone' }
elseif bound_gateway ~= gateway then -- it was thought to be gone
  session_bind(sid, client, gateway, now, address)
  due_all(sid)
end
local went = redis.call('HMGET', session_key(sid), 'went', 'wentFrom')
