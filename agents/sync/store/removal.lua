-- Removal (spec 5.6): whatever requires the object goes with it, and what requires that; an optional
-- reference to what has gone is cleared. Shared by remove.lua and cascade.lua.

-- Required references, as "<class>\n<field>".
local required = {}
for _ = 1, arg_number() do
  local lineage = arg_lineage()
  families[lineage.names[1]] = lineage
end
for _, reference in ipairs(arg_list()) do
  required[reference] = true
end
local tombstone_s, restricted = arg(), arg_restricted()

local function is_required(from, field)
  return required[class_and_id(from) .. '\n' .. field] ~= nil
end

local function tell(ref, kind, version, writer, lease)
  fan_out(ref, kind, version, families[class_and_id(ref)], writer, 1, lease)
end

-- What says who may read an object says who may hear that it has gone.
local function take_down(ref, writer, now, lease)
  local class, id = class_and_id(ref)
  local column = restricted[class] and restricted[class].field
  local reader = column and redis.call('HGET', object_key(ref), column)
  local version = object_remove(families[class], id, now, tombstone_s)
  if reader then
    redis.call('HSET', object_key(ref), column, reader)
  end
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
  local version = redis.call('HINCRBY', object_key(ref), '@v', 1)
  field_set(ref, field, version, now, text, table.concat(left, '\n'))
  index_place(ref, 0, {}, { [field] = true })
  local lineage = families[class_and_id(ref)]
  if lineage then -- nobody sees objects of a class that the model has lost
    history_add(lineage, ref, now, nil)
    tell(ref, 'u', version, '', lease)
  end
end
