-- Telling a session what it must hear of: the newest state of each object, and the replies that it
-- has not confirmed. Objects are told up to a number of bytes; deletes are counted, too.

local DELETE_BYTES = 100
local VALUE_BYTES = 200 -- of what stands around a value
local TRIES_COUNTED = 9 -- of a reply: one digit, so that an open request keeps its length

-- `found` collects what goes out: list of ref, version, fields; list of ref, version; requests; list of
-- watched value, version, text.
local function resend_begin(most_bytes)
  return { updates = {}, deletes = {}, open = {}, values = {}, bytes = 0, most_bytes = most_bytes,
    number = send_number() }
end

local function resend_is_full(found)
  return found.bytes >= found.most_bytes
end

-- How each kind goes out.
local add = {}

function add.u(found, ref, version)
  local fields = redis.call('HGETALL', object_key(ref))
  for _, part in ipairs(fields) do
    found.bytes = found.bytes + #part
  end
  table.insert(found.updates, { ref, tostring(version), fields })
end

function add.d(found, ref, version)
  found.bytes = found.bytes + DELETE_BYTES
  table.insert(found.deletes, { ref, tostring(version) })
end

-- One that is not there any more ended with its object.
function add.w(found, item, version)
  local text = redis.call('HGET', object_key(item), 'value') or 'null'
  found.bytes = found.bytes + #item + #text + VALUE_BYTES
  table.insert(found.values, { item, tostring(version), text })
end

-- One mark: it goes out with the newest state, unless the session may not see that any more.
local function resend_mark(sid, session, ref, now, timing, restricted, found)
  local mark = mark_read(sid, ref, session.epoch)
  local kind, version = newest_of(ref)
  if not mark then
    redis.call('ZREM', session_key(sid, ':d'), ref)
    return
  elseif kind ~= 'd' and not may_read(sid, item_ref(ref), restricted) then
    mark_end(sid, ref, 'ended')
    return
  end
  version = version or mark.version -- the tombstone itself is gone, or the value
  if kind == 'u' and mark.kind == 'd' then
    watch(sid, ref) -- what was removed is there anew, and its watchers went with the removal
  end
  if not mark_says(mark, kind, version) then
    local tries = mark.tries
    mark = mark_raise(sid, mark, kind, version, found.number)
    mark.tries = tries
  end
  mark_send(mark, found.number)
  mark_write(sid, ref, session.epoch, mark)
  due_at(sid, ref, now + patience(session, mark.tries, timing))
  add[kind](found, ref, version)
end

-- One reply that was not confirmed: its request is answered again.
local function resend_reply(sid, message_id, now, timing, found)
  local request = redis.call('HGET', session_key(sid, ':o'), message_id)
  if not request then
    redis.call('ZREM', session_key(sid, ':d'), '=' .. message_id)
    return
  end
  local tries, rest = string.match(request, '^(%d+)(.*)$')
  redis.call('HSET', session_key(sid, ':o'), message_id, math.min(tries + 1, TRIES_COUNTED) .. rest)
  due_at(sid, '=' .. message_id, now + math.min(timing.reply * 2 ^ (tries + 1), timing.most))
  table.insert(found.open, { message_id, string.sub(rest, 2) })
end

-- The id of the request whose reply waits, where the due item is one.
local function open_request_of(item)
  return string.match(item, '^=(.*)$')
end
