-- What follows for a session from what it may read now (design section 12; knowledge.lua).

-- What a session is to be told of an object that not everyone may read, or of its children, when `kind` is to
-- be told of it: that, or d; nil: nothing. `knew`: it has been told of the item before. From now on it knows
-- what it is told, unless it loses that.
local function told_kind(sid, item, kind, knew, restricted)
  if kind ~= 'd' and may_read(sid, item_ref(item), restricted) then
    if not knew then
      learn(sid, item)
    end
    return kind
  elseif not knew then
    return nil
  end
  if kind ~= 'd' or is_content(sid) then -- those of what was removed go last (fan_out_end.lua)
    forget(sid, item)
  end
  return 'd'
end

-- Takes the values of an object from a session, which is told so of each by a mark that is due (resend.lua).
-- raise(mark, version) makes that; nil: the session has ended. Returns whether there were any.
local function take_values(sid, session, ref, now, raise)
  local items = values_of(sid, ref)
  for _, item in ipairs(items) do
    local version = tonumber(redis.call('HGET', object_key(item), '@v') or 0)
    local mark = raise(mark_read(sid, item, session.epoch), version)
    if not mark then
      return false
    end
    mark_write(sid, item, session.epoch, mark)
    due_at(sid, item, now)
    unwatch(sid, item)
  end
  return items[1] ~= nil
end
