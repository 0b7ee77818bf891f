-- "reconnect" (spec 1.6; design section 7): binds a session to a fresh client id, whoever held it
-- before, and tells it in order what it has missed: first updates, then deletes, then the replies
-- that were not confirmed. A step tells as much as goes into a frame; the same request again, until
-- nothing is left, goes on where the last step ended.
-- Arguments: client, gateway, user, token hash, list of earlier client ids (the newest last), now, when it
-- was accepted, most bytes, timing, restricted classes.
-- Returns refused, why | ok, session, earlier client and gateway if they have to go (else ""), more (1 or 0),
-- list of (ref, version, fields), list of (ref, version), list of (messageId, request), number of the send.
local client, gateway, user, hash = arg(), arg(), arg(), arg()
local earlier, now, accepted, most_bytes = arg_list(), arg_number(), arg_number(), arg_number()
local timing, restricted = arg_timing(), arg_restricted()
local REPLAY_MS = 30000 -- within which the next step is expected
local MOST_LOOKED_AT = 500

-- What falls due at a return has its place in the order as its time.
local UPDATES, DELETES, REPLIES = 0, 1, 2

local token = token_good(hash, now)
if not token or token.user ~= user then
  return { 'refused', 'login' }
end

local sid = redis.call('GET', 'c:' .. client)
for i = #earlier, 1, -1 do
  sid = sid or redis.call('GET', 'c:' .. earlier[i])
end
local s = sid and redis.call('HMGET', session_key(sid), 'user', 'ended', 'why', 'client', 'gw')
local bound_client, bound_gateway = s and s[4], s and s[5]
if not s then
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
  session_bind(sid, client, gateway, now)
  redis.call('HSET', session_key(sid), 'asked', accepted)
  token_unlist(hash, token)
  token.client, token.modified = client, now
  token_write(hash, token, now)
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
  session_bind(sid, client, gateway, now)
  due_all(sid)
end
redis.call('HSET', session_key(sid), 'quiet', now + REPLAY_MS)
local went = redis.call('HMGET', session_key(sid), 'went', 'wentFrom')
local session = session_read(sid)

local due, found, looked_at, replies = session_key(sid, ':d'), resend_begin(most_bytes), 0, false
local function visit(item, place)
  if place == UPDATES and open_request_of(item) then
    due_at(sid, item, REPLIES)
  elseif place == UPDATES and newest_of(item) == 'd' then
    due_at(sid, item, DELETES)
  elseif place == REPLIES then
    resend_reply(sid, open_request_of(item), now, timing, found)
  else
    resend_mark(sid, session, item, now, timing, restricted, found)
  end
end

-- Replies go with the last step, all of them: there are not many.
local function has_more()
  if looked_at >= MOST_LOOKED_AT or resend_is_full(found) then
    return redis.call('ZCOUNT', due, '-inf', REPLIES) > 0
  end
  return false
end
while looked_at < MOST_LOOKED_AT and not resend_is_full(found) do
  local next = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  if not next[1] or tonumber(next[2]) > REPLIES then
    break
  end
  visit(next[1], tonumber(next[2]))
  looked_at = looked_at + 1
end

local more = has_more()
if not more then
  redis.call('HDEL', session_key(sid), 'quiet')
  session.quiet_until = 0
end
due_refresh(sid, session)
return { 'ok', sid, went[1] or '', went[2] or '', more and 1 or 0, found.updates, found.deletes,
  found.open, found.number }
