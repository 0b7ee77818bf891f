-- Marks (design section 9): "session S must hear of object O". At most one for each S and O, as
--
--   <kind> <version> <tries> <epoch> <sends>        u 12 1 3 u11x1,u12x2
--
-- kind: u update, d delete, "-" ended but some sends are still unanswered. A send is one
-- transmission; sends of one kind and version are counted together. The k-th receipt proves that
-- the client has k of them, so it settles the oldest; versions never fall from send to send, hence
-- it proves too little rather than too much. For the same reason the unanswered sends of an ended
-- mark are remembered: a late receipt must not settle the send of a later change. A send belongs
-- to the binding (epoch) in which it went out; a new binding starts with none.

local MOST_ENTRIES = 4 -- further sends are counted with the older version: too little again
local MOST_UNANSWERED = 4 -- beyond, updates wait for a receipt or for redelivery

local function book(outcome)
  redis.call('HINCRBY', 'books', outcome, 1)
end

local function mark_read(sid, ref, epoch)
  local value = redis.call('HGET', session_key(sid, ':m'), ref)
  if not value then
    return nil
  end
  local kind, version, tries, sent_in, sends =
    string.match(value, '^(%S) (%d+) (%d+) (%d+) (.*)$')
  local mark = { kind = kind, version = tonumber(version), tries = tonumber(tries), sends = {} }
  if tonumber(sent_in) == epoch then
    for k, v, n in string.gmatch(sends, '(%a)(%d+)x(%d+)') do
      table.insert(mark.sends, { kind = k, version = tonumber(v), count = tonumber(n) })
    end
  else
    mark.tries = 0
  end
  return mark
end

local function mark_write(sid, ref, epoch, mark)
  local sends = {}
  for i, send in ipairs(mark.sends) do
    sends[i] = string.format('%s%dx%d', send.kind, send.version, send.count)
  end
  redis.call('HSET', session_key(sid, ':m'), ref, string.format('%s %d %d %d %s',
    mark.kind, mark.version, mark.tries, epoch, table.concat(sends, ',')))
end

local function mark_is_pending(mark)
  return mark ~= nil and mark.kind ~= '-'
end

-- A mark of this kind and version, in place of the one that there is.
local function mark_raise(mark, kind, version)
  book('made')
  if mark_is_pending(mark) then
    book('superseded')
  end
  local sends = {}
  if mark and not (mark.kind == 'd' and kind == 'u') then
    sends = mark.sends
  end
  return { kind = kind, version = version, tries = 0, sends = sends }
end

local function mark_unanswered(mark)
  local count = 0
  for _, send in ipairs(mark.sends) do
    count = count + send.count
  end
  return count
end

local function mark_was_sent(mark)
  local last = mark.sends[#mark.sends]
  return last ~= nil and last.kind == mark.kind and last.version >= mark.version
end

local function mark_send(mark)
  if mark_was_sent(mark) then
    local last = mark.sends[#mark.sends]
    last.count = last.count + 1
    return
  end
  table.insert(mark.sends, { kind = mark.kind, version = mark.version, count = 1 })
  if #mark.sends > MOST_ENTRIES then
    local oldest = table.remove(mark.sends, 1)
    mark.sends[1].version = oldest.version
    mark.sends[1].count = mark.sends[1].count + oldest.count
  end
end

-- Something older has gone out, perhaps behind what was sent of the newest: receipts for that prove
-- nothing any more.
local function mark_doubt(mark)
  for _, send in ipairs(mark.sends) do
    send.version = math.min(send.version, mark.version - 1)
  end
end

-- When a session is looked at again: at the earliest of its marks.
local function due_refresh(sid)
  local first = redis.call('ZRANGE', session_key(sid, ':d'), 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('ZADD', 'due', first[2], sid)
  else
    redis.call('ZREM', 'due', sid)
  end
end

local function due_at(sid, ref, time)
  redis.call('ZADD', session_key(sid, ':d'), time, ref)
end

-- Ends a mark that is pending; what is unanswered stays known.
local function mark_end(sid, ref, epoch, mark, outcome)
  book(outcome)
  redis.call('ZREM', session_key(sid, ':d'), ref)
  if mark.kind == 'd' or #mark.sends == 0 then
    redis.call('HDEL', session_key(sid, ':m'), ref)
  else
    mark.kind = '-'
    mark_write(sid, ref, epoch, mark)
  end
end

-- Milliseconds until a send is repeated: doubling, but rarely for a session that has never sent a
-- receipt (old SDKs do not).
local function patience(session, tries, timing)
  if not session.answers then
    return timing.silent
  end
  return math.min(timing.first * 2 ^ tries, timing.most)
end

-- The session's binding as marks need it; nil once it has ended.
local function session_read(sid)
  local s = redis.call('HMGET', session_key(sid), 'client', 'gw', 'epoch', 'receipts', 'ended')
  if not s[1] or s[5] then
    return nil
  end
  return { client = s[1], gateway = s[2], epoch = tonumber(s[3]), answers = s[4] == '1' }
end

local function arg_timing()
  return { first = arg_number(), most = arg_number(), silent = arg_number() }
end
