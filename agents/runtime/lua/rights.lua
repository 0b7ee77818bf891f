-- Rights (design section 12): every read, write and send goes through here.
--
-- A rule is a text (common/model/model_rule.h): alternatives, apart by "|", of which one has to let the
-- session do what it asks for: "everyone", "signedIn", "nobody", "owner:<column>", "role:<name>".

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

-- For each kind: does it let the session? `text_of` has the texts of the object's columns, nil where one
-- was never set.
local lets = {}

function lets.everyone()
  return true
end

function lets.signedIn()
  return true
end

function lets.nobody()
  return false
end

function lets.owner(sid, column, text_of)
  local text = text_of(column)
  return text ~= nil and names_user(sid, text)
end

function lets.role(sid, role)
  return has_role(sid, role)
end

-- Calls visit(kind, what) for each alternative of a rule until it returns true; whether it has.
local function any_alternative(rule, visit)
  for alternative in string.gmatch(rule, '[^|]+') do
    if visit(string.match(alternative, '^(%a+):?(.*)$')) then
      return true
    end
  end
  return false
end

-- May this session do to the object what `rule` asks for? Without an object (nil) nobody owns it.
local function allowed(sid, rule, ref)
  return any_alternative(rule, function(kind, what)
    return lets[kind](sid, what, function(column)
      return ref and field_text(ref, column)
    end)
  end)
end

-- The same for an object that is to be made of these: a list of field, text, refs.
local function allowed_new(sid, rule, values)
  return any_alternative(rule, function(kind, what)
    return lets[kind](sid, what, text_among(values))
  end)
end

-- Of what classes objects may be, or whose objects not everyone may read (agents/sync/rights.h): the
-- names in their order, and by name the rule for reads, and those of columns with one of their own.
local function arg_restricted()
  local restricted = {}
  for i = 1, arg_number() do
    restricted[i] = arg()
    local class = { rule = arg(), fields = {} }
    for _ = 1, arg_number() do
      local column = arg()
      class.fields[column] = arg()
    end
    restricted[restricted[i]] = class
  end
  return restricted
end

local function may_read(sid, ref, restricted)
  local class = restricted[class_and_id(ref)]
  return class == nil or allowed(sid, class.rule, ref)
end
