-- Tells sessions of the content protocol what has changed: to each that may be told now a block of what
-- waits, the oldest first ("The request from the server: changed"). What a block holds is in {s:<sid>}:b, its
-- number, which is that of the send, in {s:<sid>} "block"; until it is answered the next one waits, and then
-- holds the same and more. A document that is gone is told of whole.
-- Arguments: now, items of a block, ms between two blocks, timing, restricted classes, list of sessions.
-- Returns how many of them were looked at, which is not all when they have very much to hear of; number of
-- the send; for each block client, gateway, list of ref, content (1 or 0), children (1 or 0).
local now, most, period_ms = arg_number(), arg_number(), arg_number()
local timing, restricted, sids = arg_timing(), arg_restricted(), arg_list()
local MOST_LOOKED_AT = 1000

local late_ms = redis.call('PTTL', 'receipts:late')
local number, blocks, looked_at = nil, {}, 0

local function hush(sid, session, time)
  session.quiet_until = time
  redis.call('HSET', session_key(sid), 'quiet', time)
end

-- The mark of an item of what the session may not read any more, which it has gone for: nothing else is told
-- of it from now on.
local function lost_mark(sid, item, mark)
  forget(sid, item)
  if mark.kind == 'd' then
    return mark
  end
  local tries = mark.tries
  mark = mark_raise(sid, mark, 'd', mark.version, number)
  mark.tries = tries
  return mark
end

-- What the session is told of an object, before its items are looked at, and whether it has lost that.
local function entry_begin(sid, ref)
  local is_there = is_live(ref)
  local is_lost = is_there and not may_read(sid, ref, restricted)
  local flag = (is_lost or not is_there) and 1 or 0
  return { ref, flag, flag }, is_lost
end

-- What waits: `entries`, one for each object; `items` that are told and their marks as they will be stored;
-- items that have no mark.
local function gather(sid, session)
  local found = { entries = {}, items = {}, marks = {}, unmarked = {} }
  local waiting = redis.call('ZRANGE', session_key(sid, ':d'), 0, most - 1)
  local stored = #waiting > 0 and redis.call('HMGET', session_key(sid, ':m'), unpack(waiting)) or {}
  local by_ref, lost = {}, {}

  local function add(item, mark)
    local ref, of_children = item_parts(item)
    if not by_ref[ref] then
      by_ref[ref], lost[ref] = entry_begin(sid, ref)
      table.insert(found.entries, by_ref[ref])
    end
    local entry = by_ref[ref]
    entry[2] = (mark.kind == 'd' or not of_children) and 1 or entry[2]
    entry[3] = (mark.kind == 'd' or of_children) and 1 or entry[3]
    mark = lost[ref] and lost_mark(sid, item, mark) or mark
    mark_send(mark, number)
    table.insert(found.items, item)
    table.insert(found.marks, item)
    table.insert(found.marks, mark_text(mark, session.epoch))
  end

  looked_at = looked_at + #waiting
  for i, item in ipairs(waiting) do
    local mark = mark_parse(stored[i], session.epoch)
    if mark then
      add(item, mark)
    else
      table.insert(found.unmarked, item)
    end
  end
  return found
end

local function block_begin(sid, session, found)
  local items, tries = session_key(sid, ':b'), redis.call('HINCRBY', session_key(sid), 'blockTries', 1)
  redis.call('HSET', session_key(sid, ':m'), unpack(found.marks))
  redis.call('DEL', items)
  redis.call('SADD', items, unpack(found.items))
  redis.call('HSET', session_key(sid), 'block', number, 'blockAt', now)
  hush(sid, session, now + math.max(period_ms, patience(session, tries, timing)))
  table.insert(blocks, { session.client, session.gateway, found.entries })
end

local function tell(sid, session)
  number = number or send_number()
  local found = gather(sid, session)
  if #found.unmarked > 0 then
    redis.call('ZREM', session_key(sid, ':d'), unpack(found.unmarked))
  end
  if #found.items > 0 then
    block_begin(sid, session, found)
  end
end

local function visit(sid)
  local session = session_read(sid)
  if not session or session.gateway == '' or not session.is_content then
    return redis.call('ZREM', 'blocks', sid)
  elseif session.quiet_until > now then
    return due_refresh(sid, session)
  elseif late_ms > 0 and redis.call('HEXISTS', session_key(sid), 'block') == 1 then
    hush(sid, session, now + late_ms) -- its answer may be among those that are late
  else
    tell(sid, session)
  end
  return due_refresh(sid, session)
end

local handled = 0
while handled < #sids and looked_at < MOST_LOOKED_AT and not rule_paths.went_far() do
  handled = handled + 1
  visit(sids[handled])
end
return { handled, number or 0, blocks }
