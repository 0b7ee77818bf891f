-- What a session knows of an object, and why it knows nothing newer.
-- Arguments: client, now, id, what the object may be (rights.lua).
-- Returns client | object | ok,
--   ref, version, removed,
--   client, gateway, why it has ended (else ""), sends receipts, watches the object, its children, may read
--     it, a change of the object is just being told,
--   list of the classes that it watches,
--   mark: none, or removal, version, tries, whether its newest was sent, milliseconds until it is due,
--   mark of its children, likewise.
local client, now, id, classes = arg(), arg_number(), arg(), arg_restricted()
local JOBS_LOOKED_AT = 250

local sid = redis.call('GET', 'c:' .. client)
local s = sid and redis.call('HMGET', session_key(sid), 'client', 'gw', 'ended', 'why', 'receipts', 'epoch',
  'quiet')
if not s or not s[1] then
  return { 'client' }
end

local function is_marked(ref)
  return redis.call('HEXISTS', session_key(sid, ':m'), ref) == 1
    or redis.call('HEXISTS', session_key(sid, ':m'), '+' .. ref) == 1
end

local function is_known(ref)
  return redis.call('EXISTS', object_key(ref)) == 1
end

-- The first of the classes whose object with this id is so.
local function first(is_so)
  for _, class in ipairs(classes) do
    local ref = class .. ':' .. id
    if is_so(ref) then
      return ref
    end
  end
end

local ref = first(is_live) or first(is_marked) or first(is_known)
if not ref then
  return { 'object' }
end

-- Whom it concerns is not known while a fan-out of the object is under way.
local function is_being_told()
  for _, job in ipairs(redis.call('ZRANGE', 'jobs', 0, JOBS_LOOKED_AT - 1)) do
    local found = redis.call('HMGET', job_key(job), 'type', 'ref')
    if found[1] == 'fan-out' and found[2] == ref then
      return 1
    end
  end
  return 0
end

local function watches(item)
  return redis.call('SISMEMBER', session_key(sid, ':w'), item)
end

local function mark_row(item)
  local mark = mark_read(sid, item, tonumber(s[6]))
  if not mark then
    return {}
  end
  local due = math.max(tonumber(redis.call('ZSCORE', session_key(sid, ':d'), item) or now),
    tonumber(s[7] or 0))
  return { mark.kind == 'd' and 1 or 0, mark.version, mark.tries, mark.sent >= mark.needs and 1 or 0,
    math.max(0, due - now) }
end

local mark, children_mark = mark_row(ref), mark_row('+' .. ref)
local version = redis.call('HGET', object_key(ref), '@v') or mark[2] or children_mark[2]
return { 'ok', { ref, version, is_live(ref) and 0 or 1 },
  { s[1], s[2] or '', s[3] and (s[4] or 'ended') or '', (s[5] == '1' or is_content(sid)) and 1 or 0,
    watches(ref), watches('+' .. ref),
    may_read(sid, ref, classes) and 1 or 0, is_being_told() },
  redis.call('SMEMBERS', session_key(sid, ':k')), mark, children_mark }
