-- Models in the order in which they were first worked by: what a value was computed by earlier is to be
-- computed anew. values:digests has the number of each digest, and under "" how many there are.
local function model_place(digest)
  local place = redis.call('HGET', 'values:digests', digest)
  if not place then
    place = redis.call('HINCRBY', 'values:digests', '', 1)
    redis.call('HSET', 'values:digests', digest, place)
  end
  return place
end
