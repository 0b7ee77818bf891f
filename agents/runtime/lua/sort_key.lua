-- Sort keys: what a view (view.lua) sorts an object by, as bytes whose order is that of the values. Texts
-- are moved and taken apart here, never made numbers of, so that what lies beyond 2^53 keeps its order;
-- only doubles are what they are everywhere.
--
--   "1" <value>   a value; descending: with all its bytes inverted
--   "2"           null, or what has no rank: last in every direction
--   <id>          ties go by class and id: numbers as numbers, arrays item by item, texts by their bytes
--
-- A text counts with its first bytes only. It ends in a 0, and a 0 in it is followed by 255, so that no
-- text is the beginning of another.
local SORTED_BYTES = 512

local ESCAPES = { b = '\b', f = '\f', n = '\n', r = '\r', t = '\t' }

-- What a JSON string in its canonical form stands for.
local function unquoted(text)
  text = string.sub(text, 2, -2)
  if not string.find(text, '\\', 1, true) then
    return text
  end
  return (string.gsub(text, '\\(.)(0?0?%x?%x?)', function(kind, rest)
    if kind == 'u' then
      return string.char(tonumber(rest, 16))
    end
    return (ESCAPES[kind] or kind) .. rest
  end))
end

-- The items of an id that is an array, as texts of JSON.
local function id_items(id)
  local items, at = {}, 2
  while at < #id do
    local last = at
    if string.sub(id, at, at) == '"' then
      last = at + 1
      while string.sub(id, last, last) ~= '"' do
        last = last + (string.sub(id, last, last) == '\\' and 2 or 1)
      end
    else
      last = string.find(id, '[,%]]', at) - 1
    end
    table.insert(items, string.sub(id, at, last))
    at = last + 2
  end
  return items
end

-- The functions for the rest are made only when they are needed, since making them costs every write.
local function sort_keys()
  local function inverted(bytes)
    return (string.gsub(bytes, '.', function(c)
      return string.char(255 - string.byte(c))
    end))
  end

  local function string_key(text)
    return string.gsub(string.sub(unquoted(text), 1, SORTED_BYTES), '%z', '\0\255') .. '\0'
  end

  -- Longer is larger, unless it is negative.
  local function integer_key(text)
    local sign, digits = string.match(text, '^(%-?)(%d+)')
    if sign == '' or digits == '0' then
      return string.char(128 + #digits) .. digits
    end
    return string.char(128 - #digits) .. string.gsub(digits, '%d', function(digit)
      return 9 - digit
    end)
  end

  -- The bytes of a double are in its order, once the sign is turned over; -0 is 0.
  local function double_key(text)
    local bytes = struct.pack('>d', tonumber(text) + 0 == 0 and 0 or tonumber(text))
    if string.byte(bytes) >= 128 then
      return inverted(bytes)
    end
    return string.char(string.byte(bytes) + 128) .. string.sub(bytes, 2)
  end

  local function boolean_key(text)
    return text == 'true' and '1' or '0'
  end

  local key_of = { string = string_key, integer = integer_key, double = double_key,
    boolean = boolean_key }

  local function rank_key(order, text)
    for rank, value in ipairs(order.ranks) do
      if value == unquoted(text) then
        return struct.pack('>H', rank)
      end
    end
    return nil
  end

  local function part_key(order, kind, text)
    if not text or text == 'null' then
      return '2'
    end
    local key = nil
    if order.ranks then
      key = rank_key(order, text)
    else
      key = key_of[kind](text)
    end
    if not key then
      return '2'
    end
    return '1' .. (order.descending and inverted(key) or key)
  end

  local function array_id_key(id)
    local keys = id_items(id)
    for i, item in ipairs(keys) do
      local is_string = string.sub(item, 1, 1) == '"'
      keys[i] = is_string and '2' .. string_key(item) or '1' .. integer_key(item)
    end
    return table.concat(keys)
  end

  local id_key = { integer = integer_key, array = array_id_key, string = function()
    return '' -- the ref itself follows
  end }

  -- Where an object stands: `texts` are those of the columns that its class is sorted by, false where
  -- there is none; nil if the definition does not know the class.
  return function(definition, ref, texts)
    local class, id = class_and_id(ref)
    local known, keys = definition.classes[class], {}
    for i, order in ipairs(definition.orders) do
      keys[i] = part_key(order, known.kinds[i], texts[i])
    end
    return table.concat(keys) .. string.char(known.place) .. id_key[known.id](id)
  end
end
