-- "removeObject": the object becomes a tombstone, which keeps late creates and puts from raising it
-- again. Several ids of classes are tried by the caller's list, the first that exists counts.
-- Arguments: those of write.lua, seconds for which the tombstone stays.
-- Returns client | again, sid, outcome | forbidden | same | ok, sid, version, job.
local tombstone_s = arg()
local ref = class .. ':' .. id

if not is_live(ref) then
  return finish('same')
end
if not allowed(sid, rule, field_text(ref, owner)) then
  return finish('forbidden')
end

local version = redis.call('HGET', object_key(ref), '@v') + 1
redis.call('DEL', object_key(ref))
redis.call('HSET', object_key(ref), '@v', version, '@d', accepted)
redis.call('EXPIRE', object_key(ref), tombstone_s)
object_unlist(lineage, id)
local job = fan_out(ref, 'd', version, lineage, sid, 1, lease)
return finish('ok', tostring(version), tostring(job))
