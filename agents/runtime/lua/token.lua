-- Tokens (spec 8.3): a hash under the SHA-256 of the token, which nobody can turn back. Each is
-- listed, by the time of its expiry, at its user, its client, and its device of that user. A token is
-- of a generation of its user's logins, as is the session that it opens: with each revocation
-- (auth/store/revoke.lua) another one begins, and what is of an earlier one is good for nothing,
-- whatever the clocks say.

local function token_key(hash)
  return '{t:' .. hash .. '}'
end

local function tokens_of_client(client)
  return '{c:' .. client .. '}:t'
end

local function tokens_of_device(user, device)
  return user_key(user, ':t:' .. device)
end

local function lists_of(token)
  local lists = { user_key(token.user, ':t'), tokens_of_client(token.client) }
  if token.device ~= '' then
    table.insert(lists, tokens_of_device(token.user, token.device))
  end
  return lists
end

local function token_read(hash)
  local row = redis.call('HGETALL', token_key(hash))
  local token = {}
  for i = 1, #row, 2 do
    token[row[i]] = row[i + 1]
  end
  return token.user and token
end

local function token_write(hash, token, now)
  local row = {}
  for name, value in pairs(token) do
    table.insert(row, name)
    table.insert(row, value)
  end
  redis.call('HSET', token_key(hash), unpack(row))
  redis.call('PEXPIREAT', token_key(hash), token.expires)
  for _, list in ipairs(lists_of(token)) do
    redis.call('ZREMRANGEBYSCORE', list, '-inf', now)
    redis.call('ZADD', list, token.expires, hash)
    redis.call('PEXPIREAT', list, redis.call('ZREVRANGE', list, 0, 0, 'WITHSCORES')[2])
  end
end

local function token_unlist(hash, token)
  for _, list in ipairs(lists_of(token)) do
    redis.call('ZREM', list, hash)
  end
end

local function token_delete(hash, token)
  token_unlist(hash, token)
  redis.call('DEL', token_key(hash))
end

local function is_disabled(user)
  return redis.call('HGET', user_key(user), 'disabled') == '1'
end

-- Is it shown by the device that it was given to? (spec 8.3) What was given to none is anybody's.
local function token_is_of(token, device)
  return token.device == '' or token.device == device
end

local function generation_of(user)
  return redis.call('HGET', user_key(user), 'generation') or '0'
end

-- Is it that of the user's logins now?
local function is_of_now(user, generation)
  return (generation or '0') == generation_of(user)
end

-- The token if it is good for a login now, else nil.
local function token_good(hash, now)
  local token = token_read(hash)
  if token and tonumber(token.expires) > tonumber(now) and not is_disabled(token.user)
    and is_of_now(token.user, token.generation) then
    return token
  end
  return nil
end

-- Deletes those of the list that belong to the user, but for the one with the hash `kept` and, as a
-- request may be delivered twice and its client has seen the first answer, those of the request
-- `again`.
local function tokens_delete(list, user, kept, again)
  for _, hash in ipairs(redis.call('ZRANGE', list, 0, -1)) do
    local token = token_read(hash)
    if token and token.user == user and hash ~= kept
      and (again == '' or token.request ~= again) then
      token_delete(hash, token)
    end
  end
end

-- As it is returned to the agent.
local function token_row(token)
  return { 'ok', token.user, token.id, token.created, token.modified, token.login, token.client,
    token.device }
end
