-- "subscribe", "revoke" of the content protocol: what the session wants to hear of, or no more; of the latter
-- it is not told any more what it has missed.
-- Arguments: client, accepted, lease until, revoke (1 or 0), at most of one session, restricted classes; then,
-- to the end, items.
-- Returns client | full | ok, session, cascade ("": none).
local client, accepted, lease = arg(), arg_number(), arg()
local revokes, most, restricted = arg() == '1', arg_number(), arg_restricted()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
elseif ended then
  return { 'ok', sid, cascade }
end
local session, wishes = session_read(sid), session_key(sid, ':w')

local function count_new()
  local count, seen = 0, {}
  for i = taken + 1, #ARGV do
    local item = ARGV[i]
    if not seen[item] and redis.call('SISMEMBER', wishes, item) == 0 then
      count = count + 1
    end
    seen[item] = true
  end
  return count
end

if not revokes and redis.call('SCARD', wishes) + count_new() > most then
  return { 'full' }
end

-- Changes of the children are told even if nobody asks for a view of them. A view that is not built yet
-- may never be: whoever asked for it may be gone.
local function watch_children(parent)
  if is_live(parent) and not has_built_view(parent) then
    cascade_children(accepted, lease, 'watch', parent)
  end
end

while taken < #ARGV do
  local item = arg()
  if not revokes then
    wish(sid, item, restricted)
    local ref, of_children = item_parts(item)
    if of_children then
      watch_children(ref)
    end
  else
    unwatch(sid, item)
    if mark_read(sid, item, session.epoch) then
      mark_end(sid, item, 'ended')
    end
  end
end
due_refresh(sid, session)
return { 'ok', sid, cascade }
