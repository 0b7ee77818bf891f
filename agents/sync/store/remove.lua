-- "removeObject": the object and what depends on it, in one step as long as that is little; else the
-- object becomes a tombstone, and a job does the rest.
-- Arguments: those of write.lua and of removal.lua.
-- Returns client | again, sid, outcome | forbidden | same | ok, sid, version, jobs, cascade.
local MOST_AT_ONCE = 250

local ref = class .. ':' .. id
if not is_live(ref) then
  return finish('same')
end
if not allowed(sid, rule, field_text(ref, owner)) then
  return finish('forbidden')
end

-- All that goes, and the references that are cleared; nil when it is too much for one step.
local function consequences()
  local doomed, seen, clears = { ref }, { [ref] = true }, {}
  local i = 1
  while doomed[i] do
    local entries = object_key(doomed[i], ':r')
    if #doomed + #clears + redis.call('ZCARD', entries) > MOST_AT_ONCE then
      return nil
    end
    for _, entry in ipairs(redis.call('ZRANGE', entries, 0, -1)) do
      local field, from = field_and_ref(entry)
      if not is_required(from, field) then
        table.insert(clears, { from, field, doomed[i] })
      elseif not seen[from] then
        seen[from] = true
        table.insert(doomed, from)
      end
    end
    i = i + 1
  end
  return doomed, seen, clears
end

local doomed, seen, clears = consequences()
local version = take_down(ref, sid, accepted, lease)
if not doomed then
  cascade_follow(ref, accepted, lease)
  return finish_changed(version, 1)
end
for i = 2, #doomed do
  take_down(doomed[i], '', accepted, lease)
end
for _, change in ipairs(clears) do
  if not seen[change[1]] then
    clear(change[1], change[2], change[3], accepted, lease)
  end
end
for _, gone in ipairs(doomed) do
  redis.call('DEL', object_key(gone, ':r'))
end
return finish_changed(version, 1)
