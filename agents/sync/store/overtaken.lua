-- Nothing older last (design section 8): what a message said of some objects may have gone out after
-- something newer. Run when the broker has it; where it is no longer the newest, it is due again. Of what not
-- everyone may read, that is also whether the session has it (knowledge.lua).
-- Arguments: now, restricted classes, list of ref, version, whether it was told what there is (1), or that it has
-- lost that (0); how many sessions were told that, how many that they have lost it, these sessions; of a reply
-- that makes nobody watch also the list of classes by which a session may watch the object: who does not watch
-- it is left alone.
local now, restricted, told = arg_number(), arg_restricted(), arg_list()
local count, lost_count = arg_number(), arg_number()
local sids = {}
for i = 1, count + lost_count do
  sids[i] = arg()
end
local classes = ARGV[taken + 1] and arg_list()
local number = nil

local function watches(sid, ref)
  if redis.call('ZSCORE', object_key(ref, ':w'), sid) then
    return true
  end
  for _, class in ipairs(is_guarded(ref, restricted) and {} or classes) do
    if redis.call('ZSCORE', class_key(class, ':w'), sid) then
      return true
    end
  end
  return false
end

local function say_again(sid, item, kind, version)
  local session = session_read(sid)
  if not session or not hears(sid) or (classes and not watches(sid, item)) then
    return
  end
  number = number or send_number()
  local mark = mark_read(sid, item, session.epoch)
  if not mark_says(mark, kind, version) then
    mark = mark_raise(sid, mark, kind, version, number)
  end
  mark.needs = number -- what was sent of it may have been heard before something older
  mark_write(sid, item, session.epoch, mark)
  due_at(sid, item, now)
  due_refresh(sid, session)
end

-- How it looks whether what a session was told is no longer so.
local function look_of(item, version, newest)
  if not is_guarded(item_ref(item), restricted) or not is_live(item_ref(item)) then
    return function()
      return newest ~= nil and newest ~= version
    end
  end
  return function(sid, has_it)
    local has_now = knows(sid, item)
    return has_now ~= has_it or (has_it and newest ~= version)
  end
end

for i = 1, #told, 3 do
  local item, version, has_it = told[i], tonumber(told[i + 1]), told[i + 2] == '1'
  local kind, newest = newest_of(item)
  local is_overtaken = look_of(item, version, newest)
  for at, sid in ipairs(sids) do
    if is_overtaken(sid, has_it and at <= count) then
      say_again(sid, item, kind, newest or version)
    end
  end
end
return { 'ok' }
