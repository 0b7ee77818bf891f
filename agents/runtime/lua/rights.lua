-- Rights (design section 12): every read, write and send goes through here.

-- May this session do what `rule` asks for? (design section 12) An owner is named by the text of a
-- field: the user's id, or the pair of the user's own object.
local function allowed(sid, rule, text)
  if rule == 'everyone' or rule == 'signedIn' then
    return true
  end
  if rule ~= 'owner' or not text then
    return false
  end
  local who = redis.call('HMGET', session_key(sid), 'user', 'me')
  return text == '"' .. who[1] .. '"' or (who[2] and who[2] ~= '' and text == who[2])
end

-- Who may not read what: class, rule, field for classes whose read rule excludes some sessions.
local function arg_restricted()
  local list, rules = arg_list(), {}
  for i = 1, #list, 3 do
    rules[list[i]] = { rule = list[i + 1], field = list[i + 2] }
  end
  return rules
end

local function may_read(sid, ref, restricted)
  local rule = restricted[string.match(ref, '^[^:]*')]
  return rule == nil or allowed(sid, rule.rule, field_text(ref, rule.field))
end
