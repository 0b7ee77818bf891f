-- "get_content": one document, watched from that very version, with what a patch needs that leads there
-- from the version that was asked for.
-- Arguments: client, accepted, class, who may read it (rights.lua), id, what the class adds to identities;
--   identity ("": none) and number of the version that was asked for, whether to watch (1 or 0), and how much
--   the session may watch.
-- Returns client | missing | forbidden | full | same |
--         ok, fields, since, earlier, "<birth><view>". since: the number that was asked for; 0: unknown here.
--         earlier: a list of field, text as of then, where it is known.
local client, accepted = arg(), arg_number()
local class, restricted, id, suffix = arg(), arg_restricted(), arg(), arg()
local identity, number, watches, most = arg(), arg_number(), arg() == '1', arg_number()
local ref = class .. ':' .. id

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
local version, birth = object_state(ref)
if not version then
  return { 'missing' }
end
if not may_read(sid, ref, restricted) then
  return { 'forbidden' }
end
if watches and not ended then
  if not may_watch(sid, ref, most) then
    return { 'full' }
  end
  learn(sid, ref)
end

local view = view_of(sid, ref, restricted)
local since = identity == birth .. suffix .. view and number <= tonumber(version) and number or 0
if since == tonumber(version) then
  return { 'same' }
end
return { 'ok', fields_for(sid, ref, restricted), since,
  since > 0 and earlier_texts(ref, since) or {}, birth .. view }
