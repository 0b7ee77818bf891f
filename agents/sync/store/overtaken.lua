-- Nothing older last (design section 8): what a message said of some objects may have gone out after
-- something newer. Run when the broker has it; where it is no longer the newest, it is due again.
-- Arguments: now, list of ref, version, list of sessions.
local now, told, sids = arg_number(), arg_list(), arg_list()

local function say_again(sid, ref, kind, version)
  local session = session_read(sid)
  if not session then
    return
  end
  local mark = mark_read(sid, ref, session.epoch)
  if not mark_says(mark, kind, version) then
    mark = mark_raise(sid, mark, kind, version)
    mark_write(sid, ref, session.epoch, mark)
  end
  due_at(sid, ref, now)
  due_refresh(sid, session)
end

for i = 1, #told, 2 do
  local ref, version = told[i], tonumber(told[i + 1])
  local newest = tonumber(redis.call('HGET', object_key(ref), '@v'))
  local kind = is_live(ref) and 'u' or 'd'
  if newest and newest ~= version then
    for _, sid in ipairs(sids) do
      say_again(sid, ref, kind, newest)
    end
  end
end
return { 'ok' }
