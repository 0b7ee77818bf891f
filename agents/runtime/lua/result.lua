-- Results of writes (design section 8, "Once"): a request that arrives twice gets its first result.
-- The name is <operation>:<messageId>:<hash of the body>; "" when there is no messageId. The result of
-- a request that is kept open lasts as long as that: {s:<sid>}:or has its name and result.

local HASH_CHARS = 64

local function message_of(name)
  return string.match(string.sub(name, 1, -HASH_CHARS - 2), '^[^:]*:(.*)$')
end

local function result_of(sid, name)
  if name == '' then
    return nil
  end
  local result = redis.call('HGET', session_key(sid, ':r'), name)
  local open = not result and redis.call('HGET', session_key(sid, ':or'), message_of(name))
  if open and string.sub(open, 1, #name + 1) == name .. '\n' then
    result = string.sub(open, #name + 2)
  end
  return result
end

local function result_keep(sid, name, result, most, seconds)
  if name == '' then
    return
  end
  local results, order = session_key(sid, ':r'), session_key(sid, ':rl')
  redis.call('HSET', results, name, result)
  if redis.call('RPUSH', order, name) > most then
    redis.call('HDEL', results, redis.call('LPOP', order))
  end
  redis.call('EXPIRE', results, seconds)
  redis.call('EXPIRE', order, seconds)
  if redis.call('HEXISTS', session_key(sid, ':o'), message_of(name)) == 1 then
    redis.call('HSET', session_key(sid, ':or'), message_of(name), name .. '\n' .. result)
  end
end
