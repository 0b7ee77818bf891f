-- Results of writes (design section 8, "Once"): a request that arrives twice gets its first result.
-- The name is made of operation, messageId and a hash of the body; "" when there is no messageId.

local function result_of(sid, name)
  if name == '' then
    return nil
  end
  return redis.call('HGET', session_key(sid, ':r'), name)
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
end
