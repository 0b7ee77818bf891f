-- Fields with a rule of their own for updates (agents/sync/rights.h): who may write the object may not
-- therefore set these.

-- Those among what a write brings: list of column, name, rule for updates, rule for reads ("": none of its
-- own).
local PER_GUARD = 4

-- The name of the first field that the session may not give to an object of this class that it makes of
-- these values (list of field, text, refs); nil: it may give them all.
local function guarded_new(sid, guards, class, values)
  for i = 1, #guards, PER_GUARD do
    if not allowed_new(sid, guards[i + 2], class, values) then
      return guards[i + 1]
    end
  end
  return nil
end

-- Who may see a field may send it back as it is. Whoever may not is not told, either, whether it is so.
local function sends_back(sid, ref, column, read_rule, text)
  return text == (field_text(ref, column) or 'null') and may_read(sid, ref, restricted)
    and (read_rule == '' or allowed(sid, read_rule, ref))
end

-- The name of the first field that the session may not set to its value among these in an object that is
-- there; nil: it may set them all.
local function guarded_put(sid, ref, guards, values)
  local text_of = text_among(values)
  for i = 1, #guards, PER_GUARD do
    local column, name, update, read = unpack(guards, i, i + PER_GUARD - 1)
    if not allowed(sid, update, ref) and not sends_back(sid, ref, column, read, text_of(column)) then
      return name
    end
  end
  return nil
end
