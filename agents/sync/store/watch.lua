-- "getChangeWatcher" (spec 3.7): the session watches a value from now on. One that is stored is told; else
-- it is the caller's to compute.
-- Arguments: client, accepted, now, lease until, at most of one session, digest of the agent's model, id,
-- name, params, list of class, rule for reads, how it is computed: for all
-- (0), for each session apart (1), by a process (2), for all who sign in, for others apart (3).
-- Returns client | missing, sid | forbidden, sid | full, sid | ok, sid, item, version, value |
--         compute, sid, item, run, touched | wait, sid, item.
local client, accepted, now, lease = arg(), arg_number(), arg_number(), arg()
local most, model = arg_number(), arg()
local id, name, params, classes = arg(), arg(), arg(), arg_list()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end

local function is_full(item)
  return not redis.call('ZSCORE', object_key(item, ':w'), sid)
    and redis.call('ZCARD', session_key(sid, ':v')) >= most
end

local function watch_value(item, rule, by_process)
  if is_full(item) then
    return { 'full', sid }
  end
  watch(sid, item)
  if restricts(rule) then
    redis.call('ZADD', object_key(item_ref(item), ':vw'), sid, sid)
  end
  local stored = redis.call('HMGET', object_key(item), '@v', 'value', 'model')
  if stored[2] and stored[3] == model then
    return { 'ok', sid, item, stored[1], stored[2] }
  elseif by_process then
    return { 'wait', sid, item }
  end
  return { 'compute', sid, item, run_begin(item, now, lease) }
end

local function is_personal(way)
  return way == '1' or way == '3' and not allowed(sid, 'signedIn', nil)
end

for i = 1, #classes, 3 do
  local ref = classes[i] .. ':' .. id
  if is_live(ref) and not ended then
    if not allowed(sid, classes[i + 1], ref) then
      return { 'forbidden', sid }
    end
    local item = '~' .. ref .. '\t' .. name .. '\t' .. params
    return watch_value(is_personal(classes[i + 2]) and item .. '\t' .. sid or item, classes[i + 1],
      classes[i + 2] == '2')
  end
end
return { 'missing', sid }
