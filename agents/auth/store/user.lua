-- Users (design section 13).
--
--   users           the ids of all, each with the score 0
--   {u:<user>}      firstName, lastName, email, created, login (the last one), disabled, roles, generation
--                   (token.lua); anchor, me, own objects (owner.lua); `gone` since when it is being deleted
--   {u:<user>}:r    who gave roles -> which: a provider, or the operator "+" and, taken away, "-"
--   {u:<user>}:a    accounts "<provider>:<id>"      {a:<account>}      the user whose it is
--   {u:<user>}:i    identifiers "<type>:<value>"    {i:<identifier>}   the same; two accounts with the same
--                   identifier are one user's, so only what was verified is one

local BASIC = 'activestack:basic:' -- before the user name, in accounts of the basic provider

local function account_user_key(account)
  return '{a:' .. account .. '}'
end

local function identifier_key(identifier)
  return '{i:' .. identifier .. '}'
end

local function email_identifier(email)
  return 'email:' .. string.lower(email)
end

local function user_exists(user)
  local row = redis.call('HMGET', user_key(user), 'created', 'gone')
  return row[1] and not row[2]
end

local function user_make(user, first_name, last_name, email, now)
  redis.call('HSET', user_key(user), 'firstName', first_name, 'lastName', last_name, 'email', email,
    'created', now)
  redis.call('ZADD', 'users', 0, user)
end

local function account_give(user, account)
  redis.call('SET', account_user_key(account), user)
  redis.call('SADD', user_key(user, ':a'), account)
  redis.call('ZADD', 'users', 0, user)
end

-- The first who has an identifier keeps it.
local function identifiers_give(user, identifiers)
  for _, identifier in ipairs(identifiers) do
    if redis.call('SET', identifier_key(identifier), user, 'NX') then
      redis.call('SADD', user_key(user, ':i'), identifier)
    end
  end
end

-- Whose these are: a user, or nil; false if they are several users'.
local function identifiers_user(identifiers)
  local found = nil
  for _, identifier in ipairs(identifiers) do
    local user = redis.call('GET', identifier_key(identifier))
    if user and found and user ~= found then
      return false
    end
    found = user or found
  end
  return found
end

-- Whom an operator means: by id, account, user name of the basic provider, or email. Else nil, and "unknown" or
-- "ambiguous": user names are free to choose, also one that is somebody else's email.
local function user_named(name)
  if user_exists(name) then
    return name
  end
  local found = nil
  for _, key in ipairs({ account_user_key(name), account_user_key(BASIC .. name),
    identifier_key(email_identifier(name)) }) do
    local user = redis.call('GET', key)
    if user and found and user ~= found then
      return nil, 'ambiguous'
    end
    found = user or found
  end
  return found, 'unknown'
end

-- The accounts that the user has at the basic provider, by their user names.
local function basic_names(user)
  local names = {}
  for _, account in ipairs(redis.call('SMEMBERS', user_key(user, ':a'))) do
    if string.sub(account, 1, #BASIC) == BASIC then
      table.insert(names, string.sub(account, #BASIC + 1))
    end
  end
  table.sort(names)
  return names
end

-- ",editor,reviewer," -> each; what all of them are together, in that form.
local function each_role(text, visit)
  for role in string.gmatch(text or '', '[^,]+') do
    visit(role)
  end
end

local function roles_text(roles)
  return #roles > 0 and ',' .. table.concat(roles, ',') .. ',' or ''
end

-- The roles that the user has by all who gave and took them.
local function roles_of(user)
  local given, seen, roles = {}, {}, {}
  local row = redis.call('HGETALL', user_key(user, ':r'))
  for i = 1, #row, 2 do
    given[#given + 1] = { row[i], row[i + 1] }
  end
  table.sort(given, function(a, b)
    return a[1] < b[1]
  end)
  each_role(redis.call('HGET', user_key(user, ':r'), '-'), function(role)
    seen[role] = true
  end)
  for _, from in ipairs(given) do
    each_role(from[1] ~= '-' and from[2] or '', function(role)
      if not seen[role] then
        seen[role] = true
        table.insert(roles, role)
      end
    end)
  end
  return roles_text(roles)
end

local function roles_given(user, by, roles)
  if roles == '' then
    redis.call('HDEL', user_key(user, ':r'), by)
  else
    redis.call('HSET', user_key(user, ':r'), by, roles)
  end
end
