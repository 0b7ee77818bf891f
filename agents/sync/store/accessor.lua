-- "getAccessor" (spec 3.4): what the session may do with an object. One that does not exist may at
-- most be created, if the rule for that needs no owner.
-- Arguments: client, accepted, id, wants the object (1 or 0), rule for new objects of the class, list
-- of class and rules for read, create, update, remove; these classes (rights.lua).
-- Returns client | ok, session, rights | ok, session, rights, ref, fields: watched from that version.
-- Rights are four digits 1 or 0, in the order above.
local client, accepted, id, wants_object, new_rule = arg(), arg_number(), arg(), arg(), arg()
local classes, restricted = arg_list(), arg_restricted()
local PER_CLASS = 5

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end

local function rights_on(ref, at)
  local rights = ''
  for i = at + 1, at + PER_CLASS - 1 do
    rights = rights .. (allowed(sid, classes[i], ref) and '1' or '0')
  end
  return rights
end

for at = 1, #classes, PER_CLASS do
  local ref = classes[at] .. ':' .. id
  if is_live(ref) then
    local rights = rights_on(ref, at)
    if wants_object == '0' or string.sub(rights, 1, 1) == '0' then
      return { 'ok', sid, rights }
    end
    if not ended then
      watch(sid, ref)
    end
    return { 'ok', sid, rights, ref, fields_for(sid, ref, restricted) }
  end
end
return { 'ok', sid, allowed(sid, new_rule, nil) and '0100' or '0000' }
