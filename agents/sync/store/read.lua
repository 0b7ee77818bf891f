-- Reads one object and watches it from that very version (design section 10). Several refs are given
-- when the class has descendants; the first that exists counts.
-- Arguments: client, accepted, then for each ref: ref, rule, owner field.
-- Returns client | ok, session | ok, session, ref, fields.
local client, accepted = arg(), arg_number()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
for _ = 3, #ARGV, 3 do
  local ref, rule, owner = arg(), arg(), arg()
  if is_live(ref) then
    if not allowed(sid, rule, field_text(ref, owner)) then
      return { 'ok', sid }
    end
    if not ended then
      watch(sid, ref)
    end
    return { 'ok', sid, ref, redis.call('HGETALL', object_key(ref)) }
  end
end
return { 'ok', sid }
