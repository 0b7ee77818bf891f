-- What is due of a session, to be sent again with the newest state (design section 9).
-- Arguments: session, now, at most, most bytes, timing, restricted classes.
-- Returns none | ok, client, gateway, more, list of (ref, version, fields), list of (ref, version), list of
-- (messageId, request), number of the send, list of (watched value, version, text).
local sid, now, most, most_bytes = arg(), arg_number(), arg_number(), arg_number()
local timing, restricted = arg_timing(), arg_restricted()

local session = session_read(sid)
if not session or session.gateway == '' then
  redis.call('ZREM', 'due', sid)
  return { 'none' }
elseif session.quiet_until > now then -- it hears all that in order
  due_refresh(sid, session)
  return { 'none' }
end

local found, more = resend_begin(most_bytes), 0
local items = redis.call('ZRANGEBYSCORE', session_key(sid, ':d'), '-inf', now, 'LIMIT', 0, most)
for i, item in ipairs(items) do
  local request = open_request_of(item)
  if request then
    resend_reply(sid, request, now, timing, found)
  else
    resend_mark(sid, session, item, now, timing, restricted, found)
  end
  if resend_is_full(found) or i == most then
    more = 1
    break
  end
end
due_refresh(sid, session)
return { 'ok', session.client, session.gateway, more, found.updates, found.deletes, found.open,
  found.number, found.values }
