-- Removal (spec 5.6): whatever requires the object goes with it, and what requires that; an optional
-- reference to what has gone is cleared. Shared by remove.lua, transaction.lua and cascade.lua.

-- Required references, as "<class>\n<field>".
local required = {}
for _ = 1, arg_number() do
  local lineage = arg_lineage()
  families[lineage.names[1]] = lineage
end
for _, reference in ipairs(arg_list()) do
  required[reference] = true
end
local tombstone_s = arg()

local function is_required(from, field)
  return required[class_and_id(from) .. '\n' .. field] ~= nil
end

local function tell(ref, kind, version, writer, lease)
  fan_out(ref, kind, version, families[class_and_id(ref)], writer, 1, lease)
end

local function take_down(ref, writer, now, lease)
  local class, id = class_and_id(ref)
  local version = object_remove(families[class], id, now, tombstone_s)
  tell(ref, 'd', version, writer, lease)
  return version
end

-- The relation without `target`: null, or the list that is left.
local function clear(ref, field, target, now, lease)
  local left = {}
  each_ref(refs_of(ref, field), function(other)
    if other ~= target then
      table.insert(left, other)
    end
  end)
  local text = #left > 0 and pairs_text(left) or 'null'
  local version = object_step(ref)
  field_set(ref, field, version, now, text, table.concat(left, '\n'))
  index_place(ref, 0, {}, { [field] = true })
  local lineage = families[class_and_id(ref)]
  if lineage then -- nobody sees objects of a class that the model has lost
    history_add(lineage, ref, now, nil)
    tell(ref, 'u', version, '', lease)
  end
end

local most_at_once = 250 -- objects that a commit may still change by removals

-- All that goes with an object, and the references that are cleared; nil when it is too much for one step.
local function consequences(ref)
  local doomed, seen, clears = { ref }, { [ref] = true }, {}
  local i = 1
  while doomed[i] do
    local entries = object_key(doomed[i], ':r')
    if #doomed + #clears + redis.call('ZCARD', entries) > most_at_once then
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
  most_at_once = most_at_once - #doomed - #clears
  return doomed, seen, clears
end

-- Removes the object and what depends on it; a job does what is too much. Returns its last version.
local function remove_all(ref, writer, now, lease)
  local doomed, seen, clears = consequences(ref)
  local version = take_down(ref, writer, now, lease)
  if not doomed then
    cascade_follow(ref, now, lease)
    return version
  end
  for i = 2, #doomed do
    take_down(doomed[i], '', now, lease)
  end
  for _, change in ipairs(clears) do
    if not seen[change[1]] then
      clear(change[1], change[2], change[3], now, lease)
    end
  end
  for _, gone in ipairs(doomed) do
    redis.call('DEL', object_key(gone, ':r'))
  end
  return version
end
