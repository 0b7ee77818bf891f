-- "changedReceived": clients of the content protocol have answered blocks (notify.lua). What the block held
-- ends, but for what has changed since it was sent; what has gathered meanwhile is told next. An answer to any
-- other block than the last, or of a client id that is no longer bound, says nothing.
-- Arguments: now, ms between two blocks, for how long late answers pause redelivery (0: they are not late);
-- then, to the end, client, number.
-- Returns how many of them were looked at, which is not all when the blocks were large; sessions that can be
-- told of more at once.
local now, period_ms, pause_ms = arg_number(), arg_number(), arg_number()
local MOST_LOOKED_AT = 1000

if pause_ms > 0 then
  redis.call('SET', 'receipts:late', 1, 'PX', pause_ms)
end

local looked_at, ready = 0, {}

local function end_told(sid, session, number)
  local items, told = redis.call('SMEMBERS', session_key(sid, ':b')), {}
  local marks = #items > 0 and redis.call('HMGET', session_key(sid, ':m'), unpack(items)) or {}
  for i, item in ipairs(items) do
    local mark = mark_parse(marks[i], session.epoch)
    if mark and mark.needs <= number then
      table.insert(told, item)
    end
  end
  if #told > 0 then
    marks_end(sid, told, 'acknowledged')
  end
  looked_at = looked_at + #items
end

local function settle(client, number)
  local sid = session_of(client, now)
  local session = sid and session_read(sid)
  local last = session and redis.call('HMGET', session_key(sid), 'block', 'blockAt')
  if not last or session.client ~= client or last[1] ~= number then
    return
  end
  end_told(sid, session, tonumber(number))
  block_forget(sid)
  session.quiet_until = last[2] + period_ms
  redis.call('HSET', session_key(sid), 'quiet', session.quiet_until)
  local due = due_refresh(sid, session)
  if due and due <= now then
    table.insert(ready, sid)
  end
end

local first = taken
while taken < #ARGV and looked_at < MOST_LOOKED_AT do
  settle(arg(), arg())
end
return { (taken - first) / 2, ready }
