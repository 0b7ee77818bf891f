-- Presence (design section 7): sets at the user's own object whether a session of theirs is bound. That
-- the last one has gone counts only after a while, within which a return changes nothing.
-- Arguments: all children, user, now, lease until, for how long who has gone still counts as there,
-- column of the field, then for each class that stands for users, after their count: lineage, indexes.
-- Returns list of fan-outs, cascade.
local user, now, lease, grace_ms, field = arg(), arg_number(), arg(), arg_number(), arg()
local key = user_key(user)

-- The user's own object: its lineage, indexes and id; nil if there is none.
local function own_object()
  local id = redis.call('HGET', key, 'anchor')
  for _ = 1, arg_number() do
    local lineage, indexes = arg_lineage(), arg_indexes()
    if id and is_live(lineage.names[1] .. ':' .. id) then
      return lineage, indexes, id
    end
  end
  return nil
end

local function show(text, lineage, indexes, id)
  local ref = lineage.names[1] .. ':' .. id
  if text == (field_text(ref, field) or 'false') then
    return
  end
  local version = redis.call('HINCRBY', object_key(ref), '@v', 1)
  field_set(ref, field, version, now, text, '')
  index_place(ref, object_score(lineage, id), indexes, { [field] = text }, function(column)
    return field_text(ref, column)
  end)
  history_add(lineage, ref, now, nil)
  fan_out(ref, 'u', version, lineage, '', 1, lease)
end

local is_there = redis.call('EXISTS', user_key(user, ':b')) == 1
local gone_at = (redis.call('HGET', key, 'left') or 0) + grace_ms
if not is_there and gone_at > now then
  redis.call('ZADD', 'online', gone_at, user)
  return { {}, '' }
end
local lineage, indexes, id = own_object()
if lineage then
  show(is_there and 'true' or 'false', lineage, indexes, id)
end
children.refresh('', 1, now, lease)
redis.call('ZREM', 'online', user)
return { jobs, cascade }
