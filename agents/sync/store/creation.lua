-- Objects that are to be made: everything is checked before the first write, since an error rolls
-- nothing back.

-- One of them, as write.c writes it: list of field, text, refs for each value that is not null, the
-- indexes, and the furthest parent, "" if no other class has objects that it finds. The id is "" where
-- the next integer is asked for.
local function arg_new(lineage, id)
  return { lineage = lineage, id = id, values = arg_list(), indexes = arg_indexes(), family = arg() }
end

local function new_ref(new)
  return new.lineage.names[1] .. ':' .. new.id
end

-- Why it may not be made, but for what is unique: an outcome, and what is said beside it; nil if it may.
local function new_place_refusal(new)
  local namesake = new.id ~= '' and object_namesake(new.lineage, new.family, new.id)
  if namesake then
    return 'taken', namesake
  end
  for i = 1, #new.values, 3 do
    local refusal, said = reference_refusal(new_ref(new), new.values[i], new.values[i + 2])
    if refusal then
      return refusal, said
    end
  end
  return nil
end

-- The same with that.
local function new_refusal(new)
  local refusal, said = new_place_refusal(new)
  if refusal then
    return refusal, said
  end
  local conflict = index_conflict(nil, new.indexes, nil, text_among(new.values))
  if conflict then
    return 'unique', conflict.name
  end
  return nil
end

-- Makes it, in the name of a session (nil: the server's own), and returns its ref. That it is told is
-- the caller's to order.
local function new_make(new, now, sid, version)
  if new.id == '' then
    new.id = object_next_id(new.lineage)
  end
  local ref = object_create(new.lineage, new.id, now, new.values, new.indexes, version)
  history_add(new.lineage, ref, now, sid)
  return ref
end
