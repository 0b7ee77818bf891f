-- Nothing older last (design section 8): what a message said of some objects may have gone out after
-- something newer. Run when the broker has it; where it is no longer the newest, it is due again.
-- Arguments: now, list of ref, version, list of sessions; of a reply that makes nobody watch also the
-- list of classes by which a session may watch the object: who does not watch it is left alone.
local now, told, sids = arg_number(), arg_list(), arg_list()
local classes = ARGV[taken + 1] and arg_list()
local number = nil

local function watches(sid, ref)
  if redis.call('ZSCORE', object_key(ref, ':w'), sid) then
    return true
  end
  for _, class in ipairs(classes) do
    if redis.call('ZSCORE', class_key(class, ':w'), sid) then
      return true
    end
  end
  return false
end

local function say_again(sid, ref, kind, version)
  local session = session_read(sid)
  if not session or not hears(sid) or (classes and not watches(sid, ref)) then
    return
  end
  local mark = mark_read(sid, ref, session.epoch)
  if not mark_says(mark, kind, version) then
    mark = mark_raise(sid, mark, kind, version, number)
  end
  mark.needs = number -- what was sent of it may have been heard before something older
  mark_write(sid, ref, session.epoch, mark)
  due_at(sid, ref, now)
  due_refresh(sid, session)
end

for i = 1, #told, 2 do
  local ref, version = told[i], tonumber(told[i + 1])
  local kind, newest = newest_of(ref)
  if newest and newest ~= version then
    number = number or send_number()
    for _, sid in ipairs(sids) do
      say_again(sid, ref, kind, newest)
    end
  end
end
return { 'ok' }
