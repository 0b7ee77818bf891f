-- "reconnect" (spec 1.6; design section 7): binds a session to a fresh client id, whoever held it
-- before, and tells it in order what it has missed: first updates, then deletes, then the replies
-- that were not confirmed. A step tells as much as goes into a frame; the same request again, until
-- nothing is left, goes on where the last step ended.
-- Arguments: client, gateway, address, user, device, token hash, dialect, list of earlier client ids (the newest last), now,
-- when it was accepted (so far return.lua), most bytes, timing, restricted classes.
-- Returns refused, why | ok, session, earlier client and gateway if they have to go (else ""), more (1 or 0),
-- list of (ref, version, fields), list of (ref, version), list of (messageId, request), number of the send,
-- list of (watched value, version, text).
local most_bytes, timing, restricted = arg_number(), arg_timing(), arg_restricted()
local REPLAY_MS = 30000 -- within which the next step is expected
local MOST_LOOKED_AT = 500

-- What falls due at a return has its place in the order as its time.
local UPDATES, DELETES, REPLIES = 0, 1, 2

redis.call('HSET', session_key(sid), 'quiet', now + REPLAY_MS)
local session = session_read(sid)

local due, found, looked_at, replies = session_key(sid, ':d'), resend_begin(most_bytes), 0, false
local function is_delete(item)
  local mark = mark_read(sid, item, session.epoch)
  return mark ~= nil and resend_says(sid, item, mark, restricted) == 'd'
end

local function visit(item, place)
  if place == UPDATES and open_request_of(item) then
    due_at(sid, item, REPLIES)
  elseif place == UPDATES and is_delete(item) then
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
  found.open, found.number, found.values }
