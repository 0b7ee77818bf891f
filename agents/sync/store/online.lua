-- Presence (design section 7): sets at the user's own object whether a session of theirs is bound. That
-- the last one has gone counts only after a while, within which a return changes nothing.
-- Arguments: all children, watchers, user, now, lease until, for how long who has gone still counts as there,
-- column of the field, then for each class that stands for users, after their count: lineage, indexes.
-- Returns list of fan-outs, cascade.
local user, now, lease, grace_ms, field = arg(), arg_number(), arg(), arg_number(), arg()
local key = user_key(user)

local lineages, indexes_of = {}, {}
for _ = 1, arg_number() do
  local lineage = arg_lineage()
  lineages[lineage.names[1]], indexes_of[lineage.names[1]] = lineage, arg_indexes()
end

local function show(text)
  local ref = object_of_user(user)
  local class = class_and_id(ref or ':')
  local lineage = lineages[class]
  if not lineage or text == (field_text(ref, field) or 'false') then
    return
  end
  local version = object_change(lineage, ref, now, { field, text, '' }, indexes_of[class], nil)
  fan_out(ref, 'u', version, lineage, '', 1, lease)
end

local is_there = redis.call('EXISTS', user_key(user, ':b')) == 1
local gone_at = (redis.call('HGET', key, 'left') or 0) + grace_ms
if not is_there and gone_at > now then
  redis.call('ZADD', 'online', gone_at, user)
  return { {}, '' }
end
show(is_there and 'true' or 'false')
children.refresh('', 1, now, lease)
watchers.refresh(lease)
redis.call('ZREM', 'online', user)
return { jobs, cascade }
