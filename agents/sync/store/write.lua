-- What all commits begin with: the listings, the children, the watchers, then who asks, and restricted
-- classes; has it been answered before? (design section 8)
local client, accepted, lease = arg(), arg_number(), arg()
local result_name, results_kept, results_s = arg(), arg_number(), arg_number()
local restricted = arg_restricted()

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
local earlier = result_of(sid, result_name)
if earlier then
  return { 'again', sid, earlier }
end

-- What the writer may not read may be referred to only as long as it is there already: an answer must not
-- tell that there is such an object. What the same request makes is the writer's own.
if restricted[1] then
  local me = redis.call('HGET', session_key(sid), 'me')
  function is_hidden(ref)
    return will_be[ref] == nil and not may_read(sid, ref, restricted) and pair_text(ref) ~= me
  end
end

-- What `change` returns, which changes an object that is there, and whether the writer sees the same fields of
-- it as before.
local function with_sight(ref, change)
  local hidden = hidden_of(sid, ref, restricted)
  local returned = change()
  rule_paths.look_anew()
  return returned, hidden_of(sid, ref, restricted) == hidden
end

-- Every outcome from here on is kept, so that a repeated request is answered alike.
local function finish(outcome, said)
  result_keep(sid, result_name, outcome .. ' ' .. (said or ''), results_kept, results_s)
  return { outcome, sid, said }
end

-- The same for a write that has changed something: with the fan-outs and the cascade ("": none) that
-- it has ordered. `complete` is 1 if all was taken as the writer has sent it.
local function finish_changed(said, complete)
  listings_refresh(accepted, lease)
  children.refresh(sid, complete, accepted, lease)
  watchers.refresh(lease)
  result_keep(sid, result_name, 'ok ' .. said, results_kept, results_s)
  return { 'ok', sid, tostring(said), jobs, cascade }
end
