-- Push receipts (design section 9): each settles the oldest send of its kind for its object. One
-- from an older binding, or a number that was seen before, settles nothing.
-- Arguments: client, epoch (0: unknown), receipt number (0: none), kind, now, list of refs.
local client, epoch, number, kind, now = arg(), arg_number(), arg_number(), arg(), arg_number()
local refs = arg_list()
local MOST_NUMBERS_KEPT = 1000

local sid = session_of(client, now)
local session = sid and session_read(sid)
if not session then
  return { 'client' }
end
if session.client ~= client or (epoch ~= 0 and epoch ~= session.epoch) then
  return { 'ok', sid }
end

-- True the first time: numbers up to `low` have all been seen, those above it are in a set.
local function first_time()
  local low = tonumber(redis.call('HGET', session_key(sid), 'low') or 0)
  local seen = session_key(sid, ':rn')
  if number <= low or redis.call('ZADD', seen, number, number) == 0 then
    return false
  end
  while redis.call('ZREM', seen, low + 1) == 1 do
    low = low + 1
  end
  if redis.call('ZCARD', seen) > MOST_NUMBERS_KEPT then
    low = tonumber(redis.call('ZPOPMIN', seen)[1])
  end
  redis.call('HSET', session_key(sid), 'low', low)
  return true
end

if number ~= 0 and not first_time() then
  return { 'ok', sid }
end
if not session.answers then
  redis.call('HSET', session_key(sid), 'receipts', 1)
end

-- Takes the oldest send of this kind away and returns its version.
local function settle_oldest(mark)
  for i, send in ipairs(mark.sends) do
    if send.kind == kind then
      send.count = send.count - 1
      if send.count == 0 then
        table.remove(mark.sends, i)
      end
      return send.version
    end
  end
  return nil
end

for _, ref in ipairs(refs) do
  local mark = mark_read(sid, ref, session.epoch)
  local version = mark and settle_oldest(mark)
  if version then
    if mark.kind == kind and version >= mark.version then
      mark_end(sid, ref, session.epoch, mark, 'acknowledged')
    elseif mark.kind == '-' and #mark.sends == 0 then
      redis.call('HDEL', session_key(sid, ':m'), ref)
    else
      if mark_is_pending(mark) and not mark_was_sent(mark) then
        due_at(sid, ref, now) -- there was no room for the newest; now there is
      end
      mark_write(sid, ref, session.epoch, mark)
    end
  end
end
due_refresh(sid)
return { 'ok', sid }
