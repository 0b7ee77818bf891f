-- Ids that are numbers, or end with one: which one is next.

local MOST_DIGITS = 15 -- of a number of Lua that is exact

-- The next one will lie above this id, which came from elsewhere. They are compared as texts, since a
-- number of Lua would be rounded.
local function object_count_on(lineage, id)
  local key = class_key(lineage.names[#lineage.names], ':next')
  local next = redis.call('GET', key) or '0'
  if string.sub(id, 1, 1) ~= '-' and (#id > #next or (#id == #next and id > next)) then
    redis.call('SET', key, id)
  end
end

-- Children whose ids begin with that of their parent, as JSON text, are numbered: [5,1], [5,2]. The
-- numbers that were given are kept at the furthest parent of their class.
local function numbers_key(lineage)
  return class_key(lineage.names[#lineage.names], ':numbers')
end

-- The id of the next one.
local function object_next_number(lineage, item)
  local number, id = tonumber(redis.call('HGET', numbers_key(lineage), item) or 0), nil
  repeat
    number = number + 1
    id = string.format('[%s,%d]', item, number)
  until redis.call('EXISTS', object_key(lineage.names[1] .. ':' .. id)) == 0
  return id
end

-- The next one will lie above this id.
local function object_number_on(lineage, id)
  local item, number = string.match(id, '^%[(.+),(%d+)%]$')
  local last = item and tonumber(redis.call('HGET', numbers_key(lineage), item) or 0)
  if item and #number <= MOST_DIGITS and tonumber(number) > last then
    redis.call('HSET', numbers_key(lineage), item, number)
  end
end
