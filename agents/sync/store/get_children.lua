-- "get_children": one page of a view of an object's children, watched from that very page on; or one step
-- of building the view. A page has a version of its own: each time that it is read and has changed,
-- its number grows, and what was read last stays for a while, so that a reader gets what differs.
--
--   {o:<parent>}:pg:<view>:<page>   id, number, digest of what was read last; "r<number>" -> what was read
--   pages:next                      counts the ids
--
-- Arguments: what children.c writes of the class; client, accepted, class, rule for reads, rule for what
--   pages show, id; name, digest, definition and shape of the view (view.h), for each class of children its
--   name and the list of what is shown, after their count; page, its size; identity ("": none) and number of the version
--   that was asked for, whether to watch (1 or 0), and how much the session may watch; how much is kept
--   of each page: readings, bytes, seconds; now, children that are placed in one step.
-- Returns client | missing | forbidden | building | past | full | same |
--         ok, identity, number, total, page, earlier page ("": not known any more).
--         A page is the total, then ref and what is shown ("": null) of each child, all ending in 0.
local client, accepted = arg(), arg_number()
local class, rule, shown_rule, id = arg(), arg(), arg(), arg()
local name, digest, definition, shape = arg(), arg(), arg(), arg()
local shown = {}
for _ = 1, arg_number() do
  local child = arg()
  shown[child] = arg_list()
end
local page, size = arg_number(), arg_number()
local asked, asked_number, watches, most_watched = arg(), arg(), arg() == '1', arg_number()
local readings_kept, bytes_kept, kept_s = arg_number(), arg_number(), arg()
local now, most = arg_number(), arg_number()
local ref = class .. ':' .. id

local sid, ended = session_of(client, accepted)
if not sid then
  return { 'client' }
end
if not is_live(ref) then
  return { 'missing' }
end
if not (allowed(sid, rule, ref) and allowed(sid, shown_rule, ref)) then
  return { 'forbidden' }
end
if not children.view(ref, name, digest, definition, now, most) then
  return { 'building' }
end

local view = object_key(ref, ':v:' .. name)
local total, first = redis.call('ZCARD', view), (page - 1) * size
if first >= total and page > 1 then
  return { 'past' }
end
if watches and not ended then
  if not may_watch(sid, '+' .. ref, most_watched) then
    return { 'full' }
  end
  learn(sid, '+' .. ref)
end

local function read_page()
  local parts = { total }
  for _, member in ipairs(redis.call('ZRANGE', view, first, first + size - 1)) do
    local child = string.match(member, '([^%z]*)$')
    local columns = shown[class_and_id(child)]
    local values = #columns > 0 and redis.call('HMGET', object_key(child), unpack(columns)) or {}
    table.insert(parts, child)
    for _, value in ipairs(values) do
      local _, _, text = field_parts(value)
      table.insert(parts, text or '')
    end
  end
  return table.concat(parts, '\0') .. '\0'
end

-- The newest readings stay, as far as there is room.
local function forget_earlier(key, number)
  local left = bytes_kept
  for i = number, number - readings_kept, -1 do
    local bytes = redis.call('HSTRLEN', key, 'r' .. i)
    left = left - bytes
    if bytes > 0 and (left < 0 or i == number - readings_kept) then
      redis.call('HDEL', key, 'r' .. i)
    end
  end
end

-- Identity and number of what was read.
local function version_of(key, text)
  local known = redis.call('HMGET', key, 'id', 'number', 'digest')
  local identity, number, text_digest = known[1], known[2], redis.sha1hex(text)
  if not identity or string.match(identity, '[^-]*$') ~= shape then
    redis.call('DEL', key)
    identity, number = 'p' .. redis.call('INCR', 'pages:next') .. '-' .. shape, 0
  end
  if text_digest ~= known[3] or number == 0 then
    number = number + 1
    redis.call('HSET', key, 'id', identity, 'number', number, 'digest', text_digest, 'r' .. number, text)
    forget_earlier(key, number)
  end
  redis.call('EXPIRE', key, kept_s)
  return identity, tostring(number)
end

local text, key = read_page(), object_key(ref, ':pg:' .. name .. ':' .. page)
local identity, number = version_of(key, text)
if asked == identity and asked_number == number then
  return { 'same' }
end
local earlier = asked == identity and redis.call('HGET', key, 'r' .. asked_number)
return { 'ok', identity, number, total, text, earlier or '' }
