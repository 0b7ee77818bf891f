-- Reads objects by their ids and watches each from that very version (design section 10). Several
-- classes are given when the one that was asked for has descendants; the first that has the id counts.
-- Arguments: client, accepted, of what classes they may be (rights.lua); list of ids.
-- Returns client | ok, session, list of ref, fields.
local client, accepted = arg(), arg_number()
local classes, ids = arg_restricted(), arg_list()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end

local found = {}
local function read(ref)
  if may_read(sid, ref, classes) then
    if not ended then
      watch(sid, ref)
    end
    table.insert(found, ref)
    table.insert(found, fields_for(sid, ref, classes))
  end
end

for _, id in ipairs(ids) do
  for _, class in ipairs(classes) do
    local ref = class .. ':' .. id
    if is_live(ref) then
      read(ref)
      break
    end
  end
end
return { 'ok', sid, found }
