-- What a session knows of an object, and why it knows nothing newer.
-- Arguments: client, id, list of class, rule, owner field: what the object may be.
-- Returns client | object | ok, ref, kind, version, client, gateway, ended, watches it (0 or 1), list of
-- classes through which it watches, may read it (0 or 1), mark (list of kind, version, tries, whether its newest was sent), due.
local client, id, classes = arg(), arg(), arg_list()

local sid = redis.call('GET', 'c:' .. client)
if not sid then
  return { 'client' }
end

local at
for i = 1, #classes, 3 do
  if redis.call('EXISTS', object_key(classes[i] .. ':' .. id)) == 1 then
    at = i
    break
  end
end
if not at then
  return { 'object' }
end
local ref = classes[at] .. ':' .. id

local through = {}
for _, class in ipairs(redis.call('SMEMBERS', session_key(sid, ':k'))) do
  table.insert(through, class)
end
local s = redis.call('HMGET', session_key(sid), 'client', 'gw', 'why', 'epoch')
local mark = mark_read(sid, ref, tonumber(s[4]))
return { 'ok', ref, is_live(ref) and 'u' or 'd', redis.call('HGET', object_key(ref), '@v'),
  s[1], s[2], s[3] or '', redis.call('SISMEMBER', session_key(sid, ':w'), ref), through,
  allowed(sid, classes[at + 1], field_text(ref, classes[at + 2])) and 1 or 0,
  mark and { mark.kind, mark.version, mark.tries, mark.sent >= mark.needs and 1 or 0 } or {},
  redis.call('ZSCORE', session_key(sid, ':d'), ref) or '' }
