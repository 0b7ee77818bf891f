-- One step through the objects of a class and its descendants, in the order of their ids. The first
-- step may make the session watch the class, so that nothing is missed between the steps (design
-- section 10, "Long reads").
-- Arguments: client, accepted, class, watch (1 or 0), whether the caller relies on that the session may
-- read all of it since all who sign in may (1 or 0), whether ids are numbers (1 or 0), the member
-- behind which to go on ("": at this rank), rank, how many to look at, how many readable ones to pass
-- over, how many to return, restricted classes.
-- Returns client | anonymous, which nobody may rely on | ok, session, list of ref, fields; objects in all; readable among those looked at;
-- the member behind which to go on, "" at the end.
local client, accepted, class, wants_watch = arg(), arg_number(), arg(), arg()
local by_login, numeric, last, rank = arg() == '1', arg() == '1', arg(), arg_number()
local most, pass, wanted = arg_number(), arg_number(), arg_number()
local restricted = arg_restricted()
local list = class_key(class, ':ids')

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
if by_login and not allowed(sid, 'signedIn', nil) then
  return { 'anonymous' }
end
if wants_watch == '1' and not ended and hears(sid) then
  redis.call('ZADD', class_key(class, ':w'), sid, sid)
  redis.call('SADD', session_key(sid, ':k'), class)
end

if last ~= '' then
  rank = rank_behind(list, last, numeric)
end

local found, readable, last_seen = {}, 0, ''
local members = {}
if most > 0 then
  members = redis.call('ZRANGE', list, rank, rank + most - 1)
end
for i, member in ipairs(members) do
  local id, actual = string.match(member, '^(.*)\n(.*)$')
  local ref = actual .. ':' .. id
  if may_read(sid, ref, restricted) then
    readable = readable + 1
    if readable > pass and #found < wanted * 2 then
      if not ended and is_guarded(ref, restricted) then
        learn(sid, ref)
      end
      table.insert(found, ref)
      table.insert(found, fields_for(sid, ref, restricted))
    end
  end
  if rule_paths.went_far() or i == most then
    last_seen = member
    break
  end
end
return { 'ok', sid, found, redis.call('ZCARD', list), readable, last_seen }
