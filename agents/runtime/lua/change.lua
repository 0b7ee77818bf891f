-- Changes an object, in the name of a session (nil: the server's own): `values` is a list of field, text,
-- refs. Returns its version; that it is told is the caller's to order.
local function object_change(lineage, ref, now, values, indexes, sid)
  local _, id = class_and_id(ref)
  local version, changed = object_step(ref), {}
  for i = 1, #values, 3 do
    field_set(ref, values[i], version, now, values[i + 1], values[i + 2])
    changed[values[i]] = values[i + 1]
  end
  if #indexes > 0 then
    index_place(ref, object_score(lineage, id), indexes, changed, function(field)
      return field_text(ref, field)
    end)
  end
  history_add(lineage, ref, now, sid)
  return version
end
