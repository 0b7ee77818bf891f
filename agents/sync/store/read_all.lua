-- One step through the objects of a class and its descendants, in the order of their ids. The first
-- step may make the session watch the class, so that nothing is missed between the steps (design
-- section 10, "Long reads").
-- Arguments: client, accepted, class, watch (1 or 0), rank of the first object to look at, how many
-- to look at, how many readable ones to pass over, how many to return, restricted classes.
-- Returns client | ok, session, list of ref, fields; objects in all; looked at; readable among these.
local client, accepted, class, wants_watch = arg(), arg_number(), arg(), arg()
local rank, most, pass, wanted = arg_number(), arg_number(), arg_number(), arg_number()
local restricted = arg_restricted()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
if wants_watch == '1' and not ended then
  redis.call('ZADD', class_key(class, ':w'), sid, sid)
  redis.call('SADD', session_key(sid, ':k'), class)
end

local found, readable = {}, 0
local members = redis.call('ZRANGE', class_key(class, ':ids'), rank, rank + most - 1)
for _, member in ipairs(members) do
  local id, actual = string.match(member, '^(.*)\n(.*)$')
  local ref = actual .. ':' .. id
  if may_read(sid, ref, restricted) then
    readable = readable + 1
    if readable > pass and #found < wanted * 2 then
      table.insert(found, ref)
      table.insert(found, redis.call('HGETALL', object_key(ref)))
    end
  end
end
return { 'ok', sid, found, redis.call('ZCARD', class_key(class, ':ids')), #members, readable }
