-- "removeObject": the object and what depends on it, in one step as long as that is little; else the
-- object becomes a tombstone, and a job does the rest.
-- Arguments: those of written.lua, and of removal.lua.
-- Returns client | again, sid, outcome | forbidden | same | ok, sid, version, jobs, cascade.
local ref = class .. ':' .. id
if not is_live(ref) then
  return finish('same')
end
if not allowed(sid, rule, ref) then
  return finish('forbidden')
end
return finish_changed(remove_all(ref, sid, accepted, lease), 1)
