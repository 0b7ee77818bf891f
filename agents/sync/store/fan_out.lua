-- One step of a fan-out: marks the next sessions that must hear of a change, and says to whom it can
-- be sent at once (design section 8, "The job"). The step before it is complete only now, so `set`
-- and `after`, the place that the caller has reached, are kept here. A step that is done again finds
-- its marks and has them sent again: twice rather than never.
-- Arguments: job, set, after, now, lease until, at most, most marks of a session, seconds for which ended
-- sessions are known, timing, restricted classes, list of class, column that are no part of the content.
-- Returns gone | ok, done, set, after, ref, kind, version, since, fields (of what was removed: what is
--         kept of it; of a value its text), recipients (session, client, gateway for each), clients that
--         have missed too much (client, gateway for each), number of the send, sessions that can be told
--         of it in a block at once.
local id, set, after = arg(), arg_number(), arg_number()
local now, lease, most = arg_number(), arg(), arg_number()
local most_marks, known_s = arg_number(), arg()
local timing, restricted, unseen = arg_timing(), arg_restricted(), arg_list()

local job = redis.call('HMGET', job_key(id), 'ref', 'kind', 'version', 'audience', 'writer',
  'complete', 'set', 'after')
local ref = job[1]
if not ref then
  return { 'gone' }
end
local again = false
if set == 0 then -- taken over: from where the last complete step ended
  set, after, again = tonumber(job[7]), tonumber(job[8]), true
end
redis.call('HSET', job_key(id), 'set', set, 'after', after)
redis.call('ZADD', 'jobs', lease, id)

-- What there is to be heard: the newest state, or that its children have changed.
local kind, version = job[2], tonumber(job[3])
if kind ~= 'c' then
  local newest
  kind, newest = newest_of(ref)
  version = newest or version
end

-- A value whose object is gone is told once more, and watched no longer.
local is_last = kind == 'w' and redis.call('HGET', object_key(ref), 'gone') == '1'
  and not is_live(item_ref(ref))

local function content()
  if kind == 'w' then
    return { redis.call('HGET', object_key(ref), 'value') or 'null' }
  end
  return kind ~= 'c' and redis.call('HGETALL', object_key(ref)) or {}
end

local recipients, overwhelmed, ready, number = {}, {}, {}, send_number()
local function end_overwhelmed(sid, session)
  session_end(sid, now, 'too much was missed', known_s, now)
  if session.gateway ~= '' then
    table.insert(overwhelmed, session.client)
    table.insert(overwhelmed, session.gateway)
  end
end

local function send(sid, session, mark)
  mark_send(mark, number)
  due_at(sid, ref, now + patience(session, mark.tries, timing))
  for _, part in ipairs({ sid, session.client, session.gateway }) do
    table.insert(recipients, part)
  end
end

-- The writer knows: all was taken as it was sent.
local function knows(sid)
  return sid == job[5] and job[6] == '1' and version == tonumber(job[3])
end

-- The mark of this session, new or as it was; nil if it has ended, since it has too many.
local function marked(sid, session, item, mark)
  if mark_says(mark, kind, version) then
    return mark
  elseif not mark and redis.call('HLEN', session_key(sid, ':m')) >= most_marks then
    return end_overwhelmed(sid, session)
  end
  return mark_raise(sid, mark, kind, version, number)
end

-- Marks one session; adds it to `recipients` when the change can go out now. Who watches the object itself
-- (`is_own`) has read it and hears that it has gone; who watches a class, only of what it may read.
local function tell(sid, session, _, is_own)
  local mark = mark_read(sid, ref, session.epoch)
  if kind == 'd' then -- the set of watchers itself goes last, so that a step can be done again
    redis.call('SREM', session_key(sid, ':w'), ref)
  end
  local knows_of_it = kind == 'd' and (is_own or mark)
  if not knows_of_it and not may_read(sid, item_ref(ref), restricted) then
    return is_last and unwatch(sid, ref)
  end
  if not mark and knows(sid) or mark_says(mark, kind, version) and not again then
    return
  end
  mark = marked(sid, session, ref, mark)
  if not mark then
    return
  elseif session.gateway ~= '' then
    send(sid, session, mark)
  else
    due_at(sid, ref, now)
  end
  mark_write(sid, ref, session.epoch, mark)
  due_refresh(sid, session)
  if is_last then
    unwatch(sid, ref)
  end
end

-- Has nothing changed but what is no part of the content, the list of its children? Not if the object is new.
local function is_unseen()
  if tonumber(job[3]) == 1 then
    return false
  end
  local class, is_column, is_newer = class_and_id(ref), {}, false
  for i = 1, #unseen, 2 do
    is_column[unseen[i + 1]] = is_column[unseen[i + 1]] or unseen[i] == class
  end
  local stored = next(is_column) and redis.call('HGETALL', object_key(ref)) or {}
  for i = 1, #stored, 2 do
    if string.sub(stored[i], 1, 1) ~= '@' and field_parts(stored[i + 1]) >= tonumber(job[3]) then
      if not is_column[stored[i]] then
        return false
      end
      is_newer = true
    end
  end
  return is_newer
end

-- The same for a session of the content protocol: it is told in blocks (notify.lua), of what has
-- changed and not how; also of a removal only if it may read what was removed, since it may wish to
-- hear of anything. Whoever wrote it knew what it changed, and keeps the mark of what was before.
local function note(sid, session, item)
  local mark = mark_read(sid, item, session.epoch)
  if knows(sid) or mark_says(mark, kind, version) or not may_read(sid, ref, restricted) then
    return
  end
  mark = marked(sid, session, item, mark)
  if mark then
    mark_write(sid, item, session.epoch, mark)
    due_first_at(sid, item, now)
    local due = due_refresh(sid, session)
    if due and due <= now then
      table.insert(ready, sid)
    end
  end
end

-- How the sessions of a set are told, and of which item.
local of_others = { item = ref, step = tell }
local of_sets = { [object_key(ref, ':w')] = { item = ref, step = tell, is_own = true },
  [object_key(ref, ':sw')] = { item = ref, step = note },
  [object_key(ref, ':cw')] = { item = '+' .. ref, step = note } }

local function visit(sid, of_set)
  local session = session_read(sid)
  if session then
    of_set.step(sid, session, of_set.item, of_set.is_own)
  else
    unwatch(sid, of_set.item)
  end
end

local sets = {}
for key in string.gmatch(job[4], '[^\n]+') do
  table.insert(sets, key)
end
local function sessions_in(key, limit)
  local sids = redis.call('ZRANGEBYSCORE', key, '(' .. after, '+inf', 'LIMIT', 0, limit)
  if #sids > 0 and kind == 'u' and key == object_key(ref, ':sw') and is_unseen() then
    return {}
  end
  return sids
end

local said, left = content(), most
while left > 0 and set <= #sets do
  local sids, of_set = sessions_in(sets[set], left), of_sets[sets[set]] or of_others
  for _, sid in ipairs(sids) do
    visit(sid, of_set)
    after = tonumber(sid)
  end
  left = left - #sids
  if left > 0 then
    set, after = set + 1, 0
  end
end

return { 'ok', set > #sets and 1 or 0, set, after, ref, kind, tostring(version), job[3],
  said, recipients, overwhelmed, number, ready }
