-- Knowledge (design section 12): of what not everyone may read, who has been told of an object hears when it
-- is lost to them, or has gone, and nobody else does. A session of ActiveStack knows what it watches, so
-- whatever tells it of such an object makes it watch that. One of the content protocol may wish to hear of
-- anything; it does so in the blind, {o:<ref>}:sb and of the children :cb, as long as it was told nothing.
-- What everyone may read needs none of this: whoever wishes to hear of it is told.
--
-- Who loses an object is told that it has gone (a mark of kind d, of the version that it has), and of each
-- watched value of it, once, that there is none.

local function restricts(rule)
  return rule ~= 'everyone' and rule ~= 'signedIn'
end

-- Of a class that not everyone may read.
local function is_guarded(ref, restricted)
  local class = restricted[class_and_id(ref)]
  return class ~= nil and restricts(class.rule)
end

-- What stands for the wishes, and for those in the blind.
local function wish_keys(item)
  local ref, of_children = item_parts(item)
  local part = of_children and ':c' or ':s'
  return object_key(ref, part .. 'w'), object_key(ref, part .. 'b')
end

local function knows(sid, item)
  if not is_content(sid) then
    return redis.call('ZSCORE', object_key(item, ':w'), sid) ~= false
  end
  local wishes, blind = wish_keys(item)
  return redis.call('ZSCORE', wishes, sid) ~= false and not redis.call('ZSCORE', blind, sid)
end

-- It is told of the item, and watches it from now on.
local function learn(sid, item)
  if not watch(sid, item) and is_content(sid) then
    local _, blind = wish_keys(item)
    redis.call('ZREM', blind, sid)
  end
end

-- It may not hear of the item; a wish of the content protocol waits for better times.
local function forget(sid, item)
  if is_content(sid) then
    local _, blind = wish_keys(item)
    redis.call('ZADD', blind, sid, sid)
  else
    unwatch(sid, item)
  end
end

-- The session begins to wish to hear of an item.
local function wish(sid, item, restricted)
  local ref = item_ref(item)
  local is_new = not knows(sid, item)
  watch(sid, item)
  if is_new and is_guarded(ref, restricted) and not (is_live(ref) and may_read(sid, ref, restricted)) then
    forget(sid, item)
  end
end
