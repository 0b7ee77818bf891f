-- Rights (design section 12): every read, write and send goes through here.

-- Does the text of an owner field name the user of this session? It is the user's id, the pair of the
-- user's own object, or a list that has that pair: its quotes are not escaped, so no value looks so.
local function names_user(sid, text)
  local who = redis.call('HMGET', session_key(sid), 'user', 'me')
  if text == '"' .. who[1] .. '"' then
    return true
  end
  local me = who[2]
  if not me or me == '' then
    return false
  end
  return text == me or (string.sub(text, 1, 1) == '[' and string.find(text, me, 1, true) ~= nil)
end

-- A user's roles are those of the last login (auth/store/login.lua): ",editor,reviewer,".
local function has_role(sid, role)
  local user = redis.call('HGET', session_key(sid), 'user')
  local roles = user and redis.call('HGET', user_key(user), 'roles')
  return roles and string.find(roles, ',' .. role .. ',', 1, true) ~= nil or false
end

-- May this session do what `rule` asks for? (design section 12) `text` is that of the owner field, nil
-- where it was never set. Rules are words of the model: "nobody", "everyone", "signedIn", "owner" and
-- "role:<name>".
local function allowed(sid, rule, text)
  if rule == 'everyone' or rule == 'signedIn' then
    return true
  end
  if rule == 'owner' then
    return text ~= nil and names_user(sid, text)
  end
  return string.sub(rule, 1, 5) == 'role:' and has_role(sid, string.sub(rule, 6))
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
