-- Declared indexes: objects by the texts of some of their fields.
--
--   {k:<class>}:x:<columns>:<hash>    who has these texts, listed like the objects of a class
--
-- The class is the one that declares the index; its columns are joined by "+", the hash is that of
-- their texts. While one of them is null, an object is not in an index. The object's own "@x" names
-- the sets that it is in, newline-separated, so that whoever takes it out needs no model.

-- The indexes of a class, as indexes.c writes them.
local function arg_indexes()
  local indexes = {}
  for i = 1, arg_number() do
    indexes[i] = { owner = arg(), columns = arg(), name = arg(), unique = arg() == '1' }
  end
  return indexes
end

-- The set for these texts, nil where one is null; `text_of` gives the text of a column.
local function index_key(index, text_of)
  local texts = {}
  for column in string.gmatch(index.columns, '[^+]+') do
    local text = text_of(column) or 'null'
    if text == 'null' then
      return nil
    end
    table.insert(texts, text)
  end
  return class_key(index.owner,
    ':x:' .. index.columns .. ':' .. redis.sha1hex(table.concat(texts, '\n')))
end

-- Has one of the columns a new text? Without `changed` all have.
local function index_is_touched(columns, changed)
  if not changed then
    return true
  end
  for column in string.gmatch(columns, '[^+]+') do
    if changed[column] then
      return true
    end
  end
  return false
end

-- As it is listed: "<id>\n<class>".
local function member_of(ref)
  local class, id = string.match(ref, '^([^:]*):(.*)$')
  return id .. '\n' .. class
end

-- Where a walk through such a list goes on that has come to this member. Objects come and go between
-- its steps, so no rank lasts, and the member itself may be gone.
local function rank_behind(list, member, numeric)
  local rank = redis.call('ZRANK', list, member)
  if rank then
    return rank + 1
  elseif numeric then
    return redis.call('ZCOUNT', list, '-inf', string.match(member, '^[^\n]*'))
  end
  return redis.call('ZLEXCOUNT', list, '-', '[' .. member)
end

-- The first unique index in which another object than `ref` (nil: none yet) has the place that this
-- one would take, and that other as it is listed; nil if all are free.
local function index_conflict(ref, indexes, changed, text_of)
  for _, index in ipairs(indexes) do
    local key = index.unique and index_is_touched(index.columns, changed) and index_key(index, text_of)
    for _, other in ipairs(key and redis.call('ZRANGE', key, 0, 1) or {}) do
      if not ref or other ~= member_of(ref) then
        return index, other
      end
    end
  end
  return nil
end

-- Takes the object out of the sets of all indexes that were touched, and puts it into those of
-- `indexes` where it belongs now.
local function index_place(ref, score, indexes, changed, text_of)
  local keys = {}
  for key in string.gmatch(redis.call('HGET', object_key(ref), '@x') or '', '[^\n]+') do
    if index_is_touched(string.match(key, '}:x:([^:]*)'), changed) then
      redis.call('ZREM', key, member_of(ref))
    else
      table.insert(keys, key)
    end
  end
  for _, index in ipairs(indexes) do
    local key = index_is_touched(index.columns, changed) and index_key(index, text_of)
    if key then
      redis.call('ZADD', key, score, member_of(ref))
      table.insert(keys, key)
    end
  end
  if #keys > 0 then
    redis.call('HSET', object_key(ref), '@x', table.concat(keys, '\n'))
  else
    redis.call('HDEL', object_key(ref), '@x')
  end
end
