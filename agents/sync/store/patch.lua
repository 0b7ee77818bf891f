-- "patch_content" before its commit, which put.lua makes: what the patch is for; or that it cannot be
-- carried out, which the agent finds, and which is kept like every outcome.
-- Arguments: those of written.lua, rule for reads; "" to read, or an outcome; what it says.
-- Returns client | again, sid, outcome | missing | forbidden | read, sid, fields |
--         the outcome that was given, sid, what it says.
local read_rule, outcome, said = arg(), arg(), arg()
local ref = class .. ':' .. id

if outcome ~= '' then
  return finish(outcome, said)
end
if not is_live(ref) then
  return finish('missing')
end
if not (allowed(sid, read_rule, ref) and allowed(sid, rule, ref)) then
  return finish('forbidden')
end
return { 'read', sid, redis.call('HGETALL', object_key(ref)) }
