-- Marks (design section 9): "session S must hear of object O". At most one for each S and O, as
--
--   <kind> <version> <tries> <needs> <sent> <epoch>        u 12 1 345 340 3
--
-- kind: u update, d delete, w a value that is derived from the object. version: the newest that must be
-- heard of. Sends are numbered, so that a receipt, of which the gateway knows the send that it is for,
-- proves that a client has what had been written before that number was drawn. needs: the mark ends with a receipt for this send or a later
-- one. tries: how often it went out in the binding that `epoch` counts; sent: the last send that did.
-- An object that was removed long ago and is made anew begins with version 1 again, so any other version
-- than the stored one is not the newest.
--
-- A session of the content protocol has marks of what it watches, items (session.lua). Those of "+<ref>"
-- have the kind c, or d when the object is gone.
--
-- {s:<sid>}:d says when each mark is due; "due" when to look at a session that is bound, "blocks" when
-- to look at one of the content protocol. {s:<sid>} "quiet": until when it is told nothing more.
--
-- The books count every mark made as it ends. They have many pages, so that each can be recounted in one
-- short step while marks are made: {b:<page>} counts the marks of some sessions, the set {b:<page>}:m has
-- those of them that have marks now.

local BOOK_PAGES = 1024

-- One for all that goes out in a step.
local function send_number()
  return redis.call('INCR', 'sends')
end

local function book_page(page, part)
  return '{b:' .. page .. '}' .. (part or '')
end

local function book_page_of(sid, part)
  return book_page(sid % BOOK_PAGES, part)
end

local function book(sid, outcome, count)
  redis.call('HINCRBY', book_page_of(sid), outcome, count or 1)
end

-- As it is stored; nil: none.
local function mark_parse(value, epoch)
  if not value then
    return nil
  end
  local kind, version, tries, needs, sent, sent_in =
    string.match(value, '^(%S) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  local mark = { kind = kind, version = tonumber(version), tries = 0, needs = tonumber(needs), sent = 0 }
  if tonumber(sent_in) == epoch then
    mark.tries, mark.sent = tonumber(tries), tonumber(sent)
  end
  return mark
end

local function mark_text(mark, epoch)
  return string.format('%s %d %d %d %d %d', mark.kind, mark.version, mark.tries, mark.needs, mark.sent,
    epoch)
end

local function mark_read(sid, ref, epoch)
  return mark_parse(redis.call('HGET', session_key(sid, ':m'), ref), epoch)
end

local function mark_write(sid, ref, epoch, mark)
  redis.call('HSET', session_key(sid, ':m'), ref, mark_text(mark, epoch))
end

-- Does the mark say this already?
local function mark_says(mark, kind, version)
  return mark and mark.kind == kind and mark.version == version
end

-- What there is to be heard of a ref or of a value: the kind, and the newest version; nil when there is
-- no trace of it.
local function newest_of(item)
  local version = tonumber(redis.call('HGET', object_key(item), '@v') or nil)
  if is_value(item) then
    return 'w', version
  end
  return version and is_live(item) and 'u' or 'd', version
end

-- A mark of this kind and version, in place of the one that there is; no earlier send will do.
local function mark_raise(sid, mark, kind, version, number)
  book(sid, 'made')
  if mark then
    book(sid, 'superseded')
  else
    redis.call('SADD', book_page_of(sid, ':m'), sid)
  end
  return { kind = kind, version = version, tries = 0, needs = number, sent = mark and mark.sent or 0 }
end

-- It goes out now.
local function mark_send(mark, number)
  mark.tries = mark.tries + 1
  mark.sent = number
end

-- The marks of these, of which there are some, end alike.
local function marks_end(sid, refs, outcome)
  book(sid, outcome, #refs)
  redis.call('HDEL', session_key(sid, ':m'), unpack(refs))
  redis.call('ZREM', session_key(sid, ':d'), unpack(refs))
  if redis.call('EXISTS', session_key(sid, ':m')) == 0 then
    redis.call('SREM', book_page_of(sid, ':m'), sid)
  end
end

local function mark_end(sid, ref, outcome)
  marks_end(sid, { ref }, outcome)
end

-- When a bound session is looked at again: at the earliest of its marks, but not while it is to be
-- told nothing. Returns that time; nil if it is none.
local function due_refresh(sid, session)
  if session.gateway == '' then
    return nil
  end
  local list = session.is_content and 'blocks' or 'due'
  local first = redis.call('ZRANGE', session_key(sid, ':d'), 0, 0, 'WITHSCORES')
  if not first[2] then
    redis.call('ZREM', list, sid)
    return nil
  end
  local time = math.max(tonumber(first[2]), session.quiet_until)
  redis.call('ZADD', list, time, sid)
  return time
end

local function due_at(sid, ref, time)
  redis.call('ZADD', session_key(sid, ':d'), time, ref)
end

-- The same for what waits to be told in the order in which it has changed first.
local function due_first_at(sid, item, time)
  redis.call('ZADD', session_key(sid, ':d'), 'NX', time, item)
end

-- Everything that the session must hear of is due. Returns how much that is.
local function due_all(sid)
  local due = session_key(sid, ':d')
  return redis.call('ZUNIONSTORE', due, 1, due, 'WEIGHTS', 0)
end

-- Milliseconds until a send is repeated, after so many of them: doubling, but rarely for a session
-- that has never sent a receipt (old SDKs do not).
local function patience(session, tries, timing)
  if not session.answers then
    return timing.silent
  end
  return math.min(timing.first * 2 ^ (tries - 1), timing.most)
end

local function arg_timing()
  return { first = arg_number(), most = arg_number(), silent = arg_number(), reply = arg_number() }
end
