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

local recorded = {} -- ref -> who has made the step of it that was kept last, and its version

-- Keeps what the object is now. `sid` is the session that has changed it, nil for the server. What
-- belongs to one step is one state, of whoever was first.
local function history_add(lineage, ref, now, sid)
  if lineage.history == 0 then
    return
  end
  local states, version = object_key(ref, ':h'), redis.call('HGET', object_key(ref), '@v')
  local last = recorded[ref]
  if last and last.version == version then
    redis.call('LPOP', states)
  else
    local user = sid and '"' .. redis.call('HGET', session_key(sid), 'user') .. '"' or 'null'
    last = { version = version, user = user }
    recorded[ref] = last
  end
  redis.call('LPUSH', states, string.format('{"version":%d,"time":%d,"user":%s,"fields":', version, now,
    last.user) .. fields_text(ref) .. '}')
  redis.call('LTRIM', states, 0, lineage.history - 1)
end
