-- Objects (design section 8): a hash, field -> "<version> <put time> <text>". "@v" is the object's
-- version, "@c" the time of its creation, "@u" the id of the user to whom it belongs, stored like a
-- string field, "@b" when an object came here that was created before: its versions count from then on.
-- What was removed keeps "@v" and "@d" for a while. Scripts know fields by their columns alone, so a field
-- that was renamed is the same one here.

-- Objects that the script is going to make or to take away -> whether they are there then; for what is
-- checked before its first write.
local will_be = {}

local function is_live(ref)
  if will_be[ref] ~= nil then
    return will_be[ref]
  end
  return redis.call('HEXISTS', object_key(ref), '@c') == 1
end

-- The next version of an object. In one script it steps once, however much changes.
local stepped = {}
local function object_step(ref)
  stepped[ref] = stepped[ref] or redis.call('HINCRBY', object_key(ref), '@v', 1)
  return stepped[ref]
end

-- The object's version; its birth, the time that tells its history from that of any other object that
-- has had its name; and when it was created. nil when there is none.
local function object_state(ref)
  local state = redis.call('HMGET', object_key(ref), '@v', '@c', '@b')
  if not state[2] then
    return nil
  end
  return state[1], state[3] or state[2], tonumber(state[2])
end

-- Version, put time and text of a stored field; nil when it was never set.
local function field_parts(value)
  if not value then
    return nil
  end
  local version, time, from = string.match(value, '^(%d+) (%d+) ()')
  return tonumber(version), tonumber(time), string.sub(value, from)
end

local function field_text(ref, field)
  if field == '' then
    return nil
  end
  local _, _, text = field_parts(redis.call('HGET', object_key(ref), field))
  return text
end

-- Hear of each field that is set, and of objects that come and go (children.lua); nil: nobody minds.
local field_changed, object_born, object_gone = nil, nil, nil

local function field_set(ref, field, version, time, text, refs)
  redis.call('HSET', object_key(ref), field, string.format('%d %d ', version, time) .. text)
  if field_changed then
    field_changed(ref, field)
  end
  references_set(ref, field, refs)
end

-- The first reference in a newline-separated list that leads nowhere, or nil.
local function broken_reference(refs)
  for ref in string.gmatch(refs, '[^\n]+') do
    if not is_live(ref) then
      return ref
    end
  end
  return nil
end

-- The JSON string of an id, which has no control characters.
local function quoted(id)
  return '"' .. string.gsub(id, '[\\"]', '\\%0') .. '"'
end

local function pair_text(ref)
  local class, id = class_and_id(ref)
  return '{"className":"' .. class .. '","ID":' .. quoted(id) .. '}'
end

-- The text of a list of these objects.
local function pairs_text(refs)
  local texts = {}
  for i, ref in ipairs(refs) do
    texts[i] = pair_text(ref)
  end
  return '[' .. table.concat(texts, ',') .. ']'
end

-- A class and its parents, as lineage.c writes them: itself first.
local function arg_lineage()
  return { numeric = arg() == '1', history = arg_number(), names = arg_list() }
end

-- Each class lists its objects, and those of its descendants, in the order of their ids: numbers by
-- score, texts by their bytes. A member is "<id>\n<class>".
local function object_score(lineage, id)
  return lineage.numeric and id or 0
end

local function object_list(lineage, id)
  for _, name in ipairs(lineage.names) do
    redis.call('ZADD', class_key(name, ':ids'), object_score(lineage, id),
      id .. '\n' .. lineage.names[1])
  end
end

local function object_unlist(lineage, id)
  for _, name in ipairs(lineage.names) do
    redis.call('ZREM', class_key(name, ':ids'), id .. '\n' .. lineage.names[1])
  end
end

-- The class of another object of the family that has this id; nil if there is none. The family is the
-- furthest parent; '' where no other class than this one has objects there.
local function object_namesake(lineage, family, id)
  if family == '' then
    return nil
  end
  local members, list = nil, class_key(family, ':ids')
  if lineage.numeric then
    members = redis.call('ZRANGEBYSCORE', list, id, id) -- also what a number of Redis rounds to it
  else
    members = redis.call('ZRANGEBYLEX', list, '[' .. id .. '\n', '(' .. id .. '\v')
  end
  for _, member in ipairs(members) do
    local its_id, class = string.match(member, '^(.*)\n(.*)$')
    if its_id == id and class ~= lineage.names[1] then
      return class
    end
  end
  return nil
end

-- The next integer for a class of numbers. Parents and descendants count together, since an object is
-- found by the names of its parents, too.
local function object_next_id(lineage)
  return tostring(redis.call('INCR', class_key(lineage.names[#lineage.names], ':next')))
end

-- `values` is a list of field, text, refs.
local function text_among(values)
  return function(field)
    for i = 1, #values, 3 do
      if values[i] == field then
        return values[i + 1]
      end
    end
    return nil
  end
end

-- Makes the object and returns its ref. Its place in unique indexes is known to be free. `version` is
-- 1 unless it is given.
local function object_create(lineage, id, now, values, indexes, version)
  local ref = lineage.names[1] .. ':' .. id
  redis.call('DEL', object_key(ref))
  redis.call('HSET', object_key(ref), '@v', version or 1, '@c', now)
  stepped[ref] = version or 1
  for i = 1, #values, 3 do
    field_set(ref, values[i], version or 1, now, values[i + 1], values[i + 2])
  end
  object_list(lineage, id)
  if #indexes > 0 then
    index_place(ref, object_score(lineage, id), indexes, nil, text_among(values))
  end
  if object_born then
    object_born(ref)
  end
  return ref
end

-- The object becomes a tombstone, which keeps late creates and puts from raising it again. What
-- refers to it is the caller's to mend.
local function object_remove(lineage, id, now, tombstone_s)
  local ref = lineage.names[1] .. ':' .. id
  for _, field in ipairs(redis.call('HKEYS', object_key(ref))) do
    if string.sub(field, 1, 3) == '@r:' then
      references_set(ref, string.sub(field, 4), '')
    elseif field == '@x' then
      index_place(ref, 0, {})
    end
  end
  local version = redis.call('HGET', object_key(ref), '@v') + 1
  redis.call('DEL', object_key(ref), object_key(ref, ':h'), object_key(ref, ':p'))
  redis.call('HSET', object_key(ref), '@v', version, '@d', now)
  redis.call('EXPIRE', object_key(ref), tombstone_s)
  object_unlist(lineage, id)
  if object_gone then
    object_gone(ref)
  end
  return version
end

-- The fan-outs that the script has ordered, and the job that touches watched values (watcher.lua), behind
-- "~". Whoever runs it starts them at once; anybody does when
-- their leases are over.
local jobs = {}
local job_of_update, told_version = {}, {} -- ref -> the fan-out of its last step; ref -> that step

-- Is a step of the object told already? Its writer hears of it too, if somebody else had a part in it.
local function is_told(ref, kind, version, writer, complete)
  local id = kind == 'u' and told_version[ref] == version and job_of_update[ref]
  if id and (complete ~= 1 or redis.call('HGET', job_key(id), 'writer') ~= writer) then
    redis.call('HSET', job_key(id), 'complete', 0)
  end
  return id
end

local function fan_out_to(audience, ref, kind, version, writer, complete, lease_until)
  if is_told(ref, kind, version, writer, complete) then
    return
  end
  local id = tostring(redis.call('INCR', 'j:next'))
  if kind == 'u' then
    job_of_update[ref], told_version[ref] = id, version
  end
  redis.call('HSET', job_key(id), 'type', 'fan-out', 'ref', ref, 'kind', kind, 'version', version or id,
    'audience', table.concat(audience, '\n'), 'writer', writer, 'complete', complete,
    'set', 1, 'after', 0)
  redis.call('ZADD', 'jobs', lease_until, id)
  table.insert(jobs, id)
end

-- The sets of those who watch the object, its class or a parent of it. Who minds only its children
-- hears of its removal.
local function audience_of(ref, kind, lineage)
  local audience = { object_key(ref, ':w'), object_key(ref, ':sw') }
  if kind == 'd' then
    table.insert(audience, object_key(ref, ':cw'))
  end
  for _, name in ipairs(lineage.names) do
    table.insert(audience, class_key(name, ':w'))
  end
  return audience
end

-- The durable work that tells all these of a change.
local function fan_out(ref, kind, version, lineage, writer, complete, lease_until)
  fan_out_to(audience_of(ref, kind, lineage), ref, kind, version, writer, complete, lease_until)
end

-- The same for its children: there is one more or less, the order is another one, or what is shown of
-- one has changed. Such changes have no version; the number of the job is theirs.
local function fan_out_children(ref, writer, complete, lease_until)
  local watchers = object_key(ref, ':cw')
  if redis.call('EXISTS', watchers) == 1 then
    fan_out_to({ watchers }, ref, 'c', nil, writer, complete, lease_until)
  end
end

-- Is there a view of its children (view.lua) that has them all?
local function has_built_view(ref)
  return redis.call('HLEN', object_key(ref, ':vs')) > redis.call('HLEN', object_key(ref, ':va'))
end

-- The job that does what is too much for one step (cascade.lua); '' as long as there is none.
local cascade = ''
local function cascade_key(time, lease_until)
  if cascade == '' then
    cascade = tostring(redis.call('INCR', 'j:next'))
    redis.call('HSET', job_key(cascade), 'type', 'cascade', 'time', time)
    redis.call('ZADD', 'jobs', lease_until, cascade)
  end
  return job_key(cascade)
end

-- It follows the references to an object that has gone (spec 5.6),
local function cascade_follow(ref, time, lease_until)
  redis.call('RPUSH', cascade_key(time, lease_until) .. ':q', ref)
end

-- sets anew the lists of an object,
local function cascade_list(ref, time, lease_until)
  redis.call('SADD', cascade_key(time, lease_until) .. ':l', ref)
end

-- and in the end does what concerns children (children.lua): something of a kind, with these parts.
local function cascade_children(time, lease_until, ...)
  redis.call('RPUSH', cascade_key(time, lease_until) .. ':c', table.concat({ ... }, '\0'))
end
