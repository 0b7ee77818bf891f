-- "patch_content" before its commit, which put.lua makes: what the patch is for; or that it cannot be
-- carried out, which the agent finds, and which is kept like every outcome.
-- Arguments: those of written.lua; "" to read, or an outcome; what it says.
-- Returns client | again, sid, outcome | missing | forbidden |
--         read, sid, fields, "<birth><view>" |
--         the outcome that was given, sid, what it says.
local outcome, said = arg(), arg()
local ref = class .. ':' .. id

if outcome ~= '' then
  return finish(outcome, said)
end
local _, birth = object_state(ref)
if not birth then
  return finish('missing')
end
if not (may_read(sid, ref, restricted) and allowed(sid, rule, ref)) then
  return finish('forbidden')
end
return { 'read', sid, fields_for(sid, ref, restricted), birth .. view_of(sid, ref, restricted) }
