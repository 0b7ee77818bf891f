-- Objects (design section 8): a hash, field -> "<version> <put time> <text>". "@v" is the object's
-- version, "@c" the time of its creation; what was removed keeps "@v" and "@d" for a while.

local function is_live(ref)
  return redis.call('HEXISTS', object_key(ref), '@c') == 1
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

local function field_set(ref, field, version, time, text)
  redis.call('HSET', object_key(ref), field, string.format('%d %d ', version, time) .. text)
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

-- A class and its parents, as lineage.c writes them: itself first.
local function arg_lineage()
  return { numeric = arg() == '1', names = arg_list() }
end

-- Each class lists its objects, and those of its descendants, in the order of their ids: numbers by
-- score, texts by their bytes. A member is "<id>\n<class>".
local function object_list(lineage, id)
  for _, name in ipairs(lineage.names) do
    redis.call('ZADD', class_key(name, ':ids'), lineage.numeric and id or 0,
      id .. '\n' .. lineage.names[1])
  end
end

local function object_unlist(lineage, id)
  for _, name in ipairs(lineage.names) do
    redis.call('ZREM', class_key(name, ':ids'), id .. '\n' .. lineage.names[1])
  end
end

-- Makes the object and returns its ref; `values` is a list of field, text.
local function object_create(lineage, id, now, values)
  local ref = lineage.names[1] .. ':' .. id
  redis.call('DEL', object_key(ref))
  redis.call('HSET', object_key(ref), '@v', 1, '@c', now)
  for i = 1, #values, 2 do
    field_set(ref, values[i], 1, now, values[i + 1])
  end
  object_list(lineage, id)
  return ref
end

-- The durable work that tells of a change everyone who watches the object, its class or a parent
-- of it. The caller runs it at once; anybody does when its lease is over.
local function fan_out(ref, kind, version, lineage, writer, complete, lease_until)
  local id = redis.call('INCR', 'j:next')
  local audience = { object_key(ref, ':w') }
  for _, name in ipairs(lineage.names) do
    table.insert(audience, class_key(name, ':w'))
  end
  redis.call('HSET', job_key(id), 'type', 'fan-out', 'ref', ref, 'kind', kind, 'version', version,
    'audience', table.concat(audience, '\n'), 'writer', writer, 'complete', complete,
    'set', 1, 'after', 0)
  redis.call('ZADD', 'jobs', lease_until, id)
  return id
end
