-- The marks of a session that are due, to be sent again with the newest state (design section 9).
-- Arguments: session, now, at most, timing, restricted classes.
-- Returns none | ok, client, gateway, epoch, more, list of (ref, kind, version, fields).
local sid, now, most = arg(), arg_number(), arg_number()
local timing, restricted = arg_timing(), arg_restricted()

local session = session_read(sid)
if not session or session.gateway == '' then
  redis.call('ZREM', 'due', sid)
  return { 'none' }
end

local function newest(ref)
  local version = redis.call('HGET', object_key(ref), '@v')
  if version and is_live(ref) then
    return 'u', tonumber(version)
  end
  return 'd', tonumber(version)
end

local list = {}
local refs = redis.call('ZRANGEBYSCORE', session_key(sid, ':d'), '-inf', now, 'LIMIT', 0, most)
for _, ref in ipairs(refs) do
  local mark = mark_read(sid, ref, session.epoch)
  local kind, version = newest(ref)
  version = version or (mark and mark.version) -- the tombstone itself is gone
  if not mark_is_pending(mark) then
    redis.call('ZREM', session_key(sid, ':d'), ref)
  elseif kind == 'u' and not may_read(sid, ref, restricted) then
    mark_end(sid, ref, session.epoch, mark, 'ended')
  else
    local tries = mark.tries
    if kind ~= mark.kind or version > mark.version then
      mark = mark_raise(mark, kind, version)
    end
    mark_send(mark)
    mark.tries = tries + 1
    mark_write(sid, ref, session.epoch, mark)
    due_at(sid, ref, now + patience(session, mark.tries, timing))
    table.insert(list, { ref, kind, tostring(version),
      kind == 'u' and redis.call('HGETALL', object_key(ref)) or {} })
  end
end
due_refresh(sid)
return { 'ok', session.client, session.gateway, tostring(session.epoch),
  #refs == most and 1 or 0, list }
