-- History (spec 10.4): the states of an object, the newest first, where its class asks for them. One
-- is {"version":..,"time":..,"user":..,"fields":{..}}, put together from texts that are JSON already.

local function fields_text(ref)
  local members, stored = {}, redis.call('HGETALL', object_key(ref))
  for i = 1, #stored, 2 do
    if string.sub(stored[i], 1, 1) ~= '@' then
      local _, _, text = field_parts(stored[i + 1])
      table.insert(members, '"' .. stored[i] .. '":' .. text)
    end
  end
  return '{' .. table.concat(members, ',') .. '}'
end

-- Keeps what the object is now. `sid` is the session that has changed it, nil for the server.
local function history_add(lineage, ref, now, sid)
  if lineage.history == 0 then
    return
  end
  local user = sid and '"' .. redis.call('HGET', session_key(sid), 'user') .. '"' or 'null'
  redis.call('LPUSH', object_key(ref, ':h'), string.format(
    '{"version":%d,"time":%d,"user":%s,"fields":', redis.call('HGET', object_key(ref), '@v'), now,
    user) .. fields_text(ref) .. '}')
  redis.call('LTRIM', object_key(ref, ':h'), 0, lineage.history - 1)
end
