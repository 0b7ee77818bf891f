-- One step of a migration: the next objects of a class and of its descendants get the defaults that
-- they lack and their places in the indexes. All steps begin where the one before has ended, whoever
-- took it.
-- Arguments: all listings, all children, watchers, job, now, lease until, at most, number of the class that
-- the rest is about, class, whether ids are numbers (1 or 0), and for each class whose objects need it, after their
-- count: lineage, defaults as a list of field, text, also in place of null (1 or 0); indexes; whether
-- listed fields are to be set (1 or 0).
-- Returns gone | at, number of the class to go on with | ok, list of fan-outs.
local MOST_DUPLICATES = 1000 -- of each index that are remembered
local MOST_COST = 2000 -- objects that are looked at for listed fields, beyond those of the last one

local id, now, lease, most = arg(), arg_number(), arg(), arg_number()
local number, class, numeric = arg(), arg(), arg() == '1'
local needs = {}
local needed = arg_number()
for _ = 1, needed do
  local lineage = arg_lineage()
  needs[lineage.names[1]] = { lineage = lineage, defaults = arg_list(), indexes = arg_indexes(),
    listings = arg() == '1' }
end

local at, last = unpack(redis.call('HMGET', job_key(id), 'class', 'last'))
if not at or redis.call('HEXISTS', job_key(id), 'ended') == 1 then
  return { 'gone' }
end
redis.call('ZADD', 'jobs', lease, id)
if at ~= number then
  return { 'at', at }
end

local list = class_key(class, ':ids')
local members = {}
if needed > 0 then
  local rank = last == '' and 0 or rank_behind(list, last, numeric)
  members = redis.call('ZRANGE', list, rank, rank + most - 1)
end
if #members == 0 then
  redis.call('HSET', job_key(id), 'last', '')
  return { 'at', tostring(redis.call('HINCRBY', job_key(id), 'class', 1)) }
end

local function is_watched(ref, lineage)
  return redis.call('EXISTS', unpack(audience_of(ref, 'u', lineage))) > 0
end

-- The defaults count as if the object had begun with them: any put is newer.
local function add_defaults(ref, need)
  local missing = {}
  for i = 1, #need.defaults, 3 do
    local text = field_text(ref, need.defaults[i])
    if not text or (text == 'null' and need.defaults[i + 2] == '1') then
      table.insert(missing, i)
    end
  end
  if #missing == 0 then
    return
  end
  local created = redis.call('HGET', object_key(ref), '@c')
  local version = redis.call('HINCRBY', object_key(ref), '@v', 1)
  for _, i in ipairs(missing) do
    field_set(ref, need.defaults[i], version, created, need.defaults[i + 1], '')
  end
  history_add(need.lineage, ref, now, nil)
  if is_watched(ref, need.lineage) then
    fan_out(ref, 'u', version, need.lineage, '', 1, lease)
  end
end

local function remember(index, member)
  local duplicates = job_key(id) .. ':' .. index.owner .. ':' .. index.columns
  if redis.call('SCARD', duplicates) < MOST_DUPLICATES then
    redis.call('SADD', duplicates, member)
  end
end

-- Also what breaks a unique index takes its place in it, so that nothing more can.
local function place(ref, object_id, need)
  local function text_of(field)
    return field_text(ref, field)
  end
  index_place(ref, object_score(need.lineage, object_id), need.indexes, nil, text_of)
  for _, index in ipairs(need.indexes) do
    local _, other = index_conflict(ref, { index }, nil, text_of)
    if other then
      remember(index, member_of(ref))
      remember(index, other)
    end
  end
end

local done, cost = 0, 0
for _, member in ipairs(members) do
  local object_id, actual = string.match(member, '^(.*)\n(.*)$')
  local ref, need = actual .. ':' .. object_id, needs[actual]
  if need and is_live(ref) then
    add_defaults(ref, need)
    place(ref, object_id, need)
    if need.listings then
      cost = cost + listings_refresh_one(ref, now, lease)
    end
  end
  done = done + 1
  if cost > MOST_COST then
    break
  end
end
children.refresh('', 1, now, lease)
watchers.refresh(lease)
redis.call('HSET', job_key(id), 'last', members[done])
redis.call('HINCRBY', job_key(id), 'done', done)
return { 'ok', jobs }
