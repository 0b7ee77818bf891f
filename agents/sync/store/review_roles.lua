-- One step of the job that looks at what the sessions of a user may read, whose roles have changed (roles.lua):
-- one after the other, at what each knows and wishes for, then at the objects of the classes that it watches.
-- What there is to be told of them is marked, and due.
--
--   {j:<id>}      session: the one that is looked at; cursor: how far its items were; last: the member behind
--                 which to go on
--   {j:<id>}:s    sessions that are left           {j:<id>}:k    classes of that one that are
--
-- Arguments: job, now, lease until, at most, most marks of a session, seconds for which ended sessions are known,
-- restricted classes; then, to the end, of each class of which roles say something its lineage.
-- Returns gone | ok, done, clients that have missed too much (client, gateway for each), session that has
-- something due at once ("": none), the same of one that is told in blocks.
local id, now, lease, most = arg(), arg_number(), arg(), arg_number()
local most_marks, known_s, restricted = arg_number(), arg(), arg_restricted()
local sessions, walks = job_key(id) .. ':s', job_key(id) .. ':k'
local lineages, classes = {}, {}
while taken < #ARGV do
  local lineage = arg_lineage()
  lineages[lineage.names[1]] = lineage
  table.insert(classes, lineage)
end

local function end_job()
  redis.call('DEL', job_key(id), sessions, walks)
  redis.call('ZREM', 'jobs', id)
end

local place = redis.call('HMGET', job_key(id), 'type', 'session', 'cursor', 'last')
if not place[1] then
  return { 'gone' }
end
redis.call('ZADD', 'jobs', lease, id)
local sid = place[2] or redis.call('SRANDMEMBER', sessions)
local session = sid and session_read(sid)
local number, has_more, overwhelmed = send_number(), false, {}

-- Marks what is due now; no more once the session has ended, since it has too many.
local function raise(item, mark, kind, version)
  if not session then
    return nil
  elseif not mark and redis.call('HLEN', session_key(sid, ':m')) >= most_marks then
    session_end(sid, now, 'too much was missed', known_s, now)
    overwhelmed = session.gateway ~= '' and { session.client, session.gateway } or {}
    session = nil
    return nil
  end
  has_more = true
  return mark_raise(sid, mark, kind, version, number)
end

local function tell(item, kind)
  local mark, version = mark_read(sid, item, session.epoch), redis.call('HGET', object_key(item_ref(item)), '@v')
  local epoch = session.epoch
  if mark_says(mark, kind, tonumber(version)) and kind == 'd' then
    return
  end
  mark = raise(item, mark, kind, tonumber(version))
  if mark then
    mark_write(sid, item, epoch, mark)
    due_at(sid, item, now)
  end
end

-- Do roles say which of its fields may be seen?
local function has_fields(ref)
  for _, rule in pairs(restricted[class_and_id(ref)].fields) do
    if string.find('|' .. rule, '[|!]role:') then
      return true
    end
  end
  return false
end

local function review(item)
  local ref = item_ref(item)
  if not lineages[class_and_id(ref)] or not is_live(ref) then
    return
  end
  if is_value(item) then
    if not may_read(sid, ref, restricted) then
      take_values(sid, session, ref, now, function(mark, version)
        return raise(item, mark, 'w', version)
      end)
    end
    return
  end
  local knew = knows(sid, item)
  local kind = item == ref and 'u' or 'c'
  local told = told_kind(sid, item, kind, knew, restricted)
  if told and (told == 'd' or not knew or (kind == 'u' and has_fields(ref))) then
    tell(item, told)
  end
end

-- ---- The steps

-- The classes whose objects the session is told of: they, or a parent, are watched.
local function begin_walks()
  for _, lineage in ipairs(classes) do
    for _, name in ipairs(lineage.names) do
      if redis.call('SISMEMBER', session_key(sid, ':k'), name) == 1 then
        redis.call('RPUSH', walks, lineage.names[1])
        break
      end
    end
  end
  redis.call('HSET', job_key(id), 'last', '')
end

local function end_session()
  redis.call('DEL', walks)
  redis.call('SREM', sessions, sid)
  redis.call('HDEL', job_key(id), 'session', 'cursor', 'last')
end

local function step_items(cursor)
  local found = redis.call('SSCAN', session_key(sid, ':w'), cursor, 'COUNT', most)
  for _, item in ipairs(found[2]) do
    if session then
      review(item)
    end
  end
  redis.call('HSET', job_key(id), 'session', sid, 'cursor', found[1])
  if found[1] == '0' then
    begin_walks()
  end
end

local function step_class(class, last)
  local lineage = lineages[class]
  local list = class_key(class, ':ids')
  local rank = (last == '' or not lineage) and 0 or rank_behind(list, last, lineage.numeric)
  local members = lineage and redis.call('ZRANGE', list, rank, rank + most - 1) or {}
  local last_seen = ''
  for i, member in ipairs(members) do
    local object_id, actual = string.match(member, '^(.*)\n(.*)$')
    if session then
      review(actual .. ':' .. object_id)
    end
    if rule_paths.went_far() or i == most then
      last_seen = member
      break
    end
  end
  redis.call('HSET', job_key(id), 'last', last_seen)
  if last_seen == '' then
    redis.call('LPOP', walks)
  end
end

if not sid then
  end_job()
  return { 'ok', 1, overwhelmed, '', '' }
end
local class = place[4] and redis.call('LINDEX', walks, 0)
if session and not place[4] then
  step_items(place[3] or '0')
elseif session and class then
  step_class(class, place[4])
else
  end_session()
end
if not session or not has_more then
  return { 'ok', 0, overwhelmed, '', '' }
end
due_refresh(sid, session)
local is_bound = session.gateway ~= ''
return { 'ok', 0, overwhelmed, is_bound and not session.is_content and sid or '',
  is_bound and session.is_content and sid or '' }
