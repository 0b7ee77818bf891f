-- One step of a fan-out: marks the next sessions that must hear of a change, and says to whom it can
-- be sent at once (design section 8, "The job"). The step before it is complete only now, so `set`
-- and `after`, the place that the caller has reached, are kept here. A step that is done again finds
-- its marks and has them sent again: twice rather than never.
--
-- Who may not read the object any more is told that it has gone, who may from now on is told of it (design
-- section 12). A review is a fan-out, ordered by what says who may read the object, that tells nobody else.
-- Arguments: job, set, after, now, lease until, at most, most marks of a session, seconds for which ended
-- sessions are known, timing, restricted classes, list of class, column that are no part of the content.
-- Returns gone | ok, done, set, after, ref, kind, version, since, list of what is told: first the fields (of
--         what was removed: what is kept of it; of a value its text), then the same for those who may not
--         see some of them; recipients (session, client, gateway, place in that list for each), clients that
--         have missed too much (client, gateway for each), number of the send, sessions that can be told
--         of it in a block at once, those that lose the object (like recipients), those that have
--         something due at once, the values that they lose, and whether it is a review (1 or 0).
local id, set, after = arg(), arg_number(), arg_number()
local now, lease, most = arg_number(), arg(), arg_number()
local most_marks, known_s = arg_number(), arg()
local timing, restricted, unseen = arg_timing(), arg_restricted(), arg_list()

local job = redis.call('HMGET', job_key(id), 'ref', 'kind', 'version', 'audience', 'writer',
  'complete', 'set', 'after', 'review')
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

local guarded = is_guarded(item_ref(ref), restricted)
local is_review = job[9] ~= false

-- A review of an object with fields that not everyone may see: whoever knows it may see other ones now, unless
-- it is about the object alone.
local class_of_it = restricted[class_and_id(item_ref(ref))]
local shows_anew = is_review and job[9] ~= 'object' and kind == 'u' and class_of_it ~= nil
  and class_of_it.columns[1] ~= nil

-- A value whose object is gone is told once more, and watched no longer.
local is_last = kind == 'w' and redis.call('HGET', object_key(ref), 'gone') == '1'
  and not is_live(item_ref(ref))

local function content()
  if kind == 'w' then
    return { redis.call('HGET', object_key(ref), 'value') or 'null' }
  end
  return kind ~= 'c' and redis.call('HGETALL', object_key(ref)) or {}
end

local recipients, losers, overwhelmed, ready, behind = {}, {}, {}, {}, {}
local number = send_number()
local function end_overwhelmed(sid, session)
  session_end(sid, now, 'too much was missed', known_s, now)
  if session.gateway ~= '' then
    table.insert(overwhelmed, session.client)
    table.insert(overwhelmed, session.gateway)
  end
end

-- What is told, once for all who may see the same of it.
local said, place_of = { content() }, { [''] = 0 }
local function place_for(sid)
  local hidden = kind == 'u' and hidden_of(sid, ref, restricted) or ''
  if not place_of[hidden] then
    place_of[hidden] = #said
    table.insert(said, fields_for(sid, ref, restricted))
  end
  return place_of[hidden]
end

local function send(sid, session, mark, list)
  mark_send(mark, number)
  due_at(sid, ref, now + patience(session, mark.tries, timing))
  local place = list == recipients and place_for(sid) or 0
  for _, part in ipairs({ sid, session.client, session.gateway, place }) do
    table.insert(list, part)
  end
end

-- The writer knows: all was taken as it was sent.
local function has_written(sid)
  return sid == job[5] and job[6] == '1' and version == tonumber(job[3])
end

-- The mark of this session, new or as it was; nil if it has ended, since it has too many. `is_other`: it
-- says something else than before, though of the same version.
local function marked(sid, session, mark, its_kind, its_version, is_other)
  if not is_other and mark_says(mark, its_kind, its_version) then
    return mark
  elseif not mark and redis.call('HLEN', session_key(sid, ':m')) >= most_marks then
    return end_overwhelmed(sid, session)
  end
  return mark_raise(sid, mark, its_kind, its_version, number)
end

-- Has nothing changed but what is no part of the content, the list of its children? But what is hidden from the
-- session, which then hears nothing of it?
local is_unseen, sees_no_change

do
  -- The columns that have changed with this change or since; none are told of an object that is new.
  local function find_changed()
    local columns = {}
    local stored = tonumber(job[3]) > 1 and redis.call('HGETALL', object_key(ref)) or {}
    for i = 1, #stored, 2 do
      if string.sub(stored[i], 1, 1) ~= '@' and field_parts(stored[i + 1]) >= tonumber(job[3]) then
        table.insert(columns, stored[i])
      end
    end
    return columns
  end

  local changed_now = nil
  local function changed()
    changed_now = changed_now or find_changed()
    return changed_now
  end

  local function has_changed_only(is_column)
    for _, column in ipairs(changed()) do
      if not is_column[column] then
        return false
      end
    end
    return #changed() > 0
  end

  local function find_unseen()
    local class, is_column = class_and_id(ref), {}
    for i = 1, #unseen, 2 do
      is_column[unseen[i + 1]] = is_column[unseen[i + 1]] or unseen[i] == class
    end
    return next(is_column) ~= nil and has_changed_only(is_column)
  end

  local unseen_now = nil
  function is_unseen()
    if unseen_now == nil then
      unseen_now = find_unseen()
    end
    return unseen_now
  end

  -- Have all that have changed a rule of their own, and is none of them looked at by such a one?
  local function find_ruled()
    if kind ~= 'u' or is_review or not class_of_it or not class_of_it.columns[1] then
      return false
    end
    local rules = {}
    for _, column in ipairs(class_of_it.columns) do
      table.insert(rules, class_of_it.fields[column])
    end
    local text = table.concat(rules, '\n')
    for _, column in ipairs(changed()) do
      if string.find(text, column, 1, true) then
        return false
      end
    end
    return has_changed_only(class_of_it.fields)
  end

  local ruled_now = nil
  function sees_no_change(sid)
    if ruled_now == nil then
      ruled_now = find_ruled()
    end
    for _, column in ipairs(ruled_now and changed() or {}) do
      if may_see(sid, ref, column, restricted) then
        return false
      end
    end
    return ruled_now
  end
end

-- What a session is told of an item; nil: nothing. `knew`: it is sure that it was told of the item before;
-- `is_quiet`: there is nothing to tell but of what it may read now, or may not any more.
local function told_of(sid, item, knew, is_quiet)
  if not guarded then
    return not is_quiet and may_read(sid, item_ref(item), restricted) and kind or nil
  end
  knew = knew or knows(sid, item)
  local told = told_kind(sid, item, kind, knew, restricted)
  return not (knew and is_quiet and told == kind) and told or nil
end

-- Marks one session; adds it to those to whom it can be told now.
local function mark_and_send(sid, session, mark, told)
  mark = marked(sid, session, mark, told, version, shows_anew)
  if not mark then
    return
  elseif session.gateway ~= '' then
    send(sid, session, mark, told == kind and recipients or losers)
  else
    due_at(sid, ref, now)
  end
  mark_write(sid, ref, session.epoch, mark)
  due_refresh(sid, session)
end

local function has_to_hear(sid, mark, told)
  if told == kind and not mark and has_written(sid) then
    return false
  end
  return again or shows_anew or not mark_says(mark, told, version)
end

-- Tells one session, which watches the object itself (`is_own`), or a class.
local function tell(sid, session, _, is_own)
  if kind == 'd' then -- the set of watchers itself goes last, so that a step can be done again
    redis.call('SREM', session_key(sid, ':w'), ref)
  end
  local is_quiet = not shows_anew and (is_review or sees_no_change(sid))
  local told, mark = told_of(sid, ref, is_own, is_quiet), mark_read(sid, ref, session.epoch)
  if told and has_to_hear(sid, mark, told) then
    mark_and_send(sid, session, mark, told)
  end
end

-- Who may not read the object any more loses the values that it watches of it.
local function check_values(sid, session)
  if may_read(sid, item_ref(ref), restricted) then
    return
  end
  local has_lost = take_values(sid, session, item_ref(ref), now, function(mark, its_version)
    return marked(sid, session, mark, 'w', its_version, true)
  end)
  if has_lost and session.gateway ~= '' then
    table.insert(behind, sid)
    due_refresh(sid, session)
  end
end

-- A value itself. That there is none any more everybody may hear.
local function tell_value(sid, session)
  if guarded and not is_last then
    check_values(sid, session)
  end
  local mark = mark_read(sid, ref, session.epoch)
  if redis.call('ZSCORE', object_key(ref, ':w'), sid) and has_to_hear(sid, mark, kind) then
    mark_and_send(sid, session, mark, kind)
  end
  if is_last then
    unwatch(sid, ref)
  end
end

-- The same for a session of the content protocol: it is told in blocks (notify.lua), of what has
-- changed and not how. Whoever wrote it knew what it changed, and keeps the mark of what was before.
local function note(sid, session, item, is_quiet)
  local mark = mark_read(sid, item, session.epoch)
  local told = told_of(sid, item, false, is_quiet)
  if not told or told == kind and has_written(sid)
    or mark_says(mark, told, version) and not (shows_anew and item == ref) then
    return
  end
  mark = marked(sid, session, mark, told == 'u' and item ~= ref and 'c' or told, version, shows_anew)
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
local of_sets = {
  [object_key(ref, ':w')] = { item = ref, step = kind == 'w' and tell_value or tell, is_own = true },
  [object_key(ref, ':sw')] = { item = ref, step = function(sid, session, item)
    note(sid, session, item,
      not shows_anew and (is_review or kind == 'u' and is_unseen() or sees_no_change(sid)))
  end },
  [object_key(ref, ':cw')] = { item = '+' .. ref, step = function(sid, session, item)
    note(sid, session, item, is_review or kind == 'u')
  end },
  [object_key(ref, ':vw')] = { item = ref, step = check_values },
}

local function visit(sid, of_set)
  local session = session_read(sid)
  if session then
    of_set.step(sid, session, of_set.item, of_set.is_own)
  else
    unwatch(sid, of_set.item)
  end
end

-- Those who know its children, or values, hear when they lose them.
local sets = {}
for key in string.gmatch(is_review and kind ~= 'u' and '' or job[4], '[^\n]+') do
  table.insert(sets, key)
end
if guarded and kind == 'u' then
  table.insert(sets, object_key(ref, ':cw'))
  table.insert(sets, object_key(ref, ':vw'))
end

local function sessions_in(key, limit)
  local sids = redis.call('ZRANGEBYSCORE', key, '(' .. after, '+inf', 'LIMIT', 0, limit)
  if #sids > 0 and kind == 'u' and not (guarded or shows_anew) and key == object_key(ref, ':sw')
    and is_unseen() then
    return {}
  end
  return sids
end

local left = most
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

return { 'ok', set > #sets and 1 or 0, set, after, ref, kind, tostring(version),
  is_review and tostring(version + 1) or job[3], said, recipients, overwhelmed, number, ready, losers, behind,
  is_review and 1 or 0 }
