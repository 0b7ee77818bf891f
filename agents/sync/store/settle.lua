-- Push receipts (design section 9): the gateway says which send of each object a client has
-- acknowledged. The mark ends if that is late enough. A client id that is no longer bound settles
-- nothing: who came back may not have what the old connection was sent. A receipt for an update may be
-- for a watched value of the object; then the gateway names that.
-- Arguments: kind, now, for how long late receipts pause redelivery (0: they are not late); then, to the
-- end, client, ref ("": none), number of the send ("": the last one), those of a client together.
-- Returns list of clients that are not known.
local kind, now, pause_ms = arg(), arg_number(), arg_number()

if pause_ms > 0 then
  redis.call('SET', 'receipts:late', 1, 'PX', pause_ms)
end

local function settle(sid, session, ref, number)
  local mark = mark_read(sid, ref, session.epoch)
  local proved = number == '' and mark and mark.sent or tonumber(number) or 0
  if mark and mark.kind == (is_value(ref) and 'w' or kind) and proved >= mark.needs then
    mark_end(sid, ref, 'acknowledged')
  end
end

-- The session of a client; nil if its receipts settle nothing.
local unknown = {}
local function session_of_receipts(client)
  local sid = session_of(client, now)
  local session = sid and session_read(sid)
  if not session then
    table.insert(unknown, client)
  elseif session.client == client then
    if not session.answers then
      redis.call('HSET', session_key(sid), 'receipts', 1)
    end
    return sid, session
  end
  return nil
end

local current, sid, session
local function finish()
  if session then
    due_refresh(sid, session)
  end
end
while taken < #ARGV do
  local client, ref, number = arg(), arg(), arg()
  if client ~= current then
    finish()
    current = client
    sid, session = session_of_receipts(client)
  end
  if session and ref ~= '' then
    settle(sid, session, ref, number)
  end
end
finish()
return unknown
