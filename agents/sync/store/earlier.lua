-- Earlier texts of fields that held an array or an object, so that a reader of an earlier version gets a
-- patch inside of them. The newest first:
--
--   {o:<ref>}:p   "<field> <version that set it> <version that replaced it> <text>" each
--
-- A text that is not kept (too long, or replaced otherwise than by a put) leaves a gap: nothing is known
-- of the versions in which it stood.

local function arg_earlier_limits()
  return { count = arg_number(), bytes = arg_number() }
end

-- Is this the text of an array or object that is no relation?
local function is_structure(ref, field, text)
  local first = string.sub(text, 1, 1)
  return (first == '{' or first == '[') and refs_of(ref, field) == ''
end

-- As many as fit into the limits stay, the newest ones.
local function earlier_keep(ref, field, set_in, replaced_in, text, limits)
  if limits.count == 0 or not is_structure(ref, field, text) then
    return
  end
  local entry = string.format('%s %d %d ', field, set_in, replaced_in) .. text
  local key, kept, left = object_key(ref, ':p'), 1, limits.bytes - #entry
  if left < 0 then
    return
  end
  for _, earlier in ipairs(redis.call('LRANGE', key, 0, -1)) do
    left = left - #earlier
    if left < 0 or kept == limits.count then
      break
    end
    kept = kept + 1
  end
  redis.call('LPUSH', key, entry)
  redis.call('LTRIM', key, 0, kept - 1)
end

-- A list of field, text: how fields were in this version that have changed since, where it is known.
local function earlier_texts(ref, version)
  local texts = {}
  for _, entry in ipairs(redis.call('LRANGE', object_key(ref, ':p'), 0, -1)) do
    local field, set_in, replaced_in, from = string.match(entry, '^(%S+) (%d+) (%d+) ()')
    if tonumber(set_in) <= version and version < tonumber(replaced_in) then
      table.insert(texts, field)
      table.insert(texts, string.sub(entry, from))
    end
  end
  return texts
end
