-- One step of the job that looks for the objects of which a change may decide who reads them, since rules
-- along paths have looked at what has changed (path.lua): it goes back along the paths, from what has changed
-- to the objects that the rules are about, and has each of them reviewed (fan_out.lua).
--
--   {j:<id>}:q    what has changed, "<ref>\n<what>"
--   {j:<id>}:p    places on the way back, the next one first: the class that the rule is about, the steps that
--                 lead from such an object to this one, what of the last of these was gone back already (""),
--                 whether the rule is one of a field (1 or 0), and the object, with NULs between
--
-- Arguments: job, lease until, at most, restricted classes; then, to the end, of each class whose rules have paths
-- its lineage.
-- Returns gone | ok, done, list of fan-outs.
local id, lease, left, restricted = arg(), arg(), arg_number(), arg_restricted()
local queue, places = job_key(id) .. ':q', job_key(id) .. ':p'
local lineages = {}
while taken < #ARGV do
  local lineage = arg_lineage()
  lineages[lineage.names[1]] = lineage
end

if redis.call('EXISTS', job_key(id)) == 0 then
  return { 'gone' }
end
redis.call('ZADD', 'jobs', lease, id)

-- ---- The paths of all rules

local paths = {} -- class, of_field, list of steps as texts, the end
local function add_paths(class, rule, of_field)
  for path in string.gmatch(rule, 'path:([^|]*)') do
    local found = { class = class, of_field = of_field, steps = {} }
    for way, list in string.gmatch(path, '([<>=])([^;]*)') do
      if way == '=' then
        found.ends = list
      else
        table.insert(found.steps, way .. list)
      end
    end
    table.insert(paths, found)
  end
end
for class in pairs(lineages) do
  add_paths(class, restricted[class].rule, '0')
  for _, rule in pairs(restricted[class].fields) do
    add_paths(class, rule, '1')
  end
end

-- ---- Places

local function push(class, steps, back, of_field, ref)
  redis.call('LPUSH', places, table.concat({ class, steps, back, of_field, ref }, '\0'))
end

-- Is "<class>=<column>" in a list?
local function has(list, class, column)
  return string.find(',' .. list .. ',', ',' .. class .. '=' .. column .. ',', 1, true) ~= nil
end

-- Does a path look at this when it has come by its first steps, so many, to the object?
local function looks_at(path, count, class, what)
  local step = path.steps[count + 1]
  local from, column = string.match(what, '^<(.*)\t(.*)$')
  if from then
    return step ~= nil and string.sub(step, 1, 1) == '<' and has(string.sub(step, 2), from, column)
  elseif not step then
    return has(path.ends, class, what)
  end
  return string.sub(step, 1, 1) == '>' and has(string.sub(step, 2), class, what)
end

local function begin(ref, what)
  local class = class_and_id(ref)
  for _, path in ipairs(paths) do
    for count = 0, #path.steps do
      if looks_at(path, count, class, what) then
        push(path.class, table.concat(path.steps, ';', 1, count), '', path.of_field, ref)
      end
    end
  end
end

-- ---- The way back

local reviewed = {} -- ref -> its fan-out
local function review(ref, of_field)
  local lineage = lineages[class_and_id(ref)]
  if not lineage or not is_live(ref) then
    return
  end
  if redis.call('EXISTS', object_key(ref, ':vw'), unpack(audience_of(ref, 'd', lineage))) == 0 then
    return
  end
  if not reviewed[ref] then
    fan_out_to(audience_of(ref, 'u', lineage), ref, 'u', redis.call('HGET', object_key(ref), '@v'), '', 1, lease)
    reviewed[ref] = jobs[#jobs]
    redis.call('HSET', job_key(reviewed[ref]), 'review', 'object')
  end
  if of_field == '1' then
    redis.call('HSET', job_key(reviewed[ref]), 'review', 'fields')
  end
end

-- Where objects of the classes refer to this one by their columns: the next page of them.
local function back_out(list, back, ref, go)
  local place, after = string.match(back, '^(%d+) (.*)$')
  local at, pairs_seen = tonumber(place or 1), 0
  for class, column in string.gmatch(list, '([^,=]+)=([^,]+)') do
    pairs_seen = pairs_seen + 1
    if pairs_seen == at then
      local from, to = references_range(column, class)
      local entries = redis.call('ZRANGEBYLEX', object_key(ref, ':r'), after and '(' .. after or from, to,
        'LIMIT', 0, left)
      local is_whole = #entries < left
      for _, entry in ipairs(entries) do
        go(string.sub(entry, #column + 2))
      end
      left = left - #entries
      if not is_whole then
        return at .. ' ' .. entries[#entries]
      end
      at, after = at + 1, nil
    end
  end
  return nil
end

-- What this object refers to by its columns.
local function back_in(list, ref, go)
  local class = class_and_id(ref)
  for from, column in string.gmatch(list, '([^,=]+)=([^,]+)') do
    if from == class then
      each_ref(refs_of(ref, column), function(target)
        left = left - 1
        go(target)
      end)
    end
  end
end

local function go_back(class, steps, back, of_field, ref)
  if steps == '' then
    return class_and_id(ref) == class and review(ref, of_field)
  end
  local rest, way, list = string.match(steps, '^(.-);?([<>])([^;]*)$')
  local found = {}
  local function go(target)
    table.insert(found, target)
  end
  local more = nil
  if way == '>' then
    more = back_out(list, back, ref, go)
  else
    back_in(list, ref, go)
  end
  if more then
    push(class, steps, more, of_field, ref)
  end
  for _, target in ipairs(found) do
    push(class, rest, '', of_field, target)
  end
end

while left > 0 do
  local place = redis.call('LPOP', places)
  local entry = not place and redis.call('LPOP', queue)
  if place then
    go_back(string.match(place, '^(%Z*)%z(%Z*)%z(%Z*)%z(%Z*)%z(.*)$'))
  elseif entry then
    begin(string.match(entry, '^(.-)\n(.*)$'))
  else
    break
  end
  left = left - 1
end

if redis.call('EXISTS', queue, places) > 0 then
  return { 'ok', 0, jobs }
end
redis.call('DEL', job_key(id))
redis.call('ZREM', 'jobs', id)
return { 'ok', 1, jobs }
