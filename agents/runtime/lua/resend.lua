-- Telling a session what it must hear of: the newest state of each object, and the replies that it
-- has not confirmed. Objects are told up to a number of bytes; deletes are counted, too.

local DELETE_BYTES = 100
local VALUE_BYTES = 200 -- of what stands around a value
local TRIES_COUNTED = 9 -- of a reply: one digit, so that an open request keeps its length

-- `found` collects what goes out: list of ref, version, fields; list of ref, version; requests; list of
-- watched value, version, text, whether the session watches it.
local function resend_begin(most_bytes)
  return { updates = {}, deletes = {}, open = {}, values = {}, bytes = 0, most_bytes = most_bytes,
    number = send_number() }
end

local function resend_is_full(found)
  return found.bytes >= found.most_bytes or rule_paths.went_far()
end

-- How each kind goes out.
local add = {}

function add.u(found, ref, version, sid, restricted)
  local fields = fields_for(sid, ref, restricted)
  for _, part in ipairs(fields) do
    found.bytes = found.bytes + #part
  end
  table.insert(found.updates, { ref, tostring(version), fields })
end

function add.d(found, ref, version)
  found.bytes = found.bytes + DELETE_BYTES
  table.insert(found.deletes, { ref, tostring(version) })
end

-- One that is not there any more ended with its object; a session that does not watch it has lost that.
function add.w(found, item, version, sid)
  local is_watched = redis.call('ZSCORE', object_key(item, ':w'), sid)
  local text = is_watched and redis.call('HGET', object_key(item), 'value') or 'null'
  found.bytes = found.bytes + #item + #text + VALUE_BYTES
  table.insert(found.values, { item, tostring(version), text, is_watched and '1' or '0' })
end

-- What the session hears of an object or a value that it has a mark of: the kind, the newest version, and
-- whether that is lost to it since it may not read the object (any more): then the object has gone for it.
local function resend_says(sid, item, mark, restricted)
  local kind, version = newest_of(item)
  version = version or mark.version -- the tombstone itself is gone, or the value
  local ref = item_ref(item)
  if kind == 'd' or may_read(sid, ref, restricted) or (kind == 'w' and not is_live(ref)) then
    return kind, version, false
  elseif kind == 'w' then
    return kind, version, true
  end
  return 'd', mark.kind == 'd' and mark.version or version, true
end

-- The session watches the item no longer. Did it until now?
local function resend_forget(sid, item)
  if redis.call('ZSCORE', object_key(item, ':w'), sid) then
    unwatch(sid, item)
    return true
  end
  return false
end

-- One mark: it goes out with the newest state.
local function resend_mark(sid, session, ref, now, timing, restricted, found)
  local mark = mark_read(sid, ref, session.epoch)
  if not mark then
    redis.call('ZREM', session_key(sid, ':d'), ref)
    return
  end
  local kind, version, is_lost = resend_says(sid, ref, mark, restricted)
  if kind == 'u' and mark.kind == 'd' then
    watch(sid, ref) -- it is there anew, or for this session again, and was watched no longer
  end
  local is_other = is_lost and resend_forget(sid, ref)
  if is_other or not mark_says(mark, kind, version) then
    local tries = mark.tries
    mark = mark_raise(sid, mark, kind, version, found.number)
    mark.tries = tries
  end
  mark_send(mark, found.number)
  mark_write(sid, ref, session.epoch, mark)
  due_at(sid, ref, now + patience(session, mark.tries, timing))
  add[kind](found, ref, version, sid, restricted)
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
