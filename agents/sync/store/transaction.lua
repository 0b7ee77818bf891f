-- "processTransaction": many objects are saved and removed, or nothing is. All is checked as it will be in
-- the end before the first write, so that saves may refer to each other, and may swap what is unique.
-- Arguments: those of write.lua and removal.lua; put time; for each save, after their
--   count, its place in the request, "create", "put" or "refuse", lineage, id, rule; for a creation what
--   arg_new() reads, and whether its writer knows all of it (1 or 0); for a put the list of field, text, refs,
--   and the indexes; for both the guards of what is given; for what cannot be made, as the agent has found, an
--   outcome and what is said beside it;
--   for each removal, after their count, its place, class, id, rule; limits of earlier texts.
-- Returns client | again, sid, outcome | changed: an object has come or gone since the agent looked |
--         forbidden | guarded | removed | stale | reference | full | unique | taken | unmade | lacking, sid,
--         place and what is said, apart by a line feed | ok, sid, a line "<version> <ref>" for each save and
--         then for each removal (version 0 where there was nothing), jobs, cascade.
local time = math.min(arg_number(), accepted)

local function arg_save()
  local save = { place = arg(), kind = arg(), lineage = arg_lineage(), id = arg(), rule = arg() }
  save.ref = save.lineage.names[1] .. ':' .. save.id
  if save.kind == 'create' then
    save.new = arg_new(save.lineage, save.id)
    save.values, save.indexes, save.complete = save.new.values, save.new.indexes, arg_number()
    save.guards = arg_list()
  elseif save.kind == 'refuse' then
    save.outcome, save.said = arg(), arg()
  else
    save.values, save.indexes, save.complete, save.guards = arg_list(), arg_indexes(), 1, arg_list()
  end
  return save
end

local saves, removals = {}, {}
for i = 1, arg_number() do
  saves[i] = arg_save()
end
for i = 1, arg_number() do
  removals[i] = { place = arg(), class = arg(), id = arg(), rule = arg() }
  removals[i].ref = removals[i].class .. ':' .. removals[i].id
end
local earlier_limits = arg_earlier_limits()

local function refuse(item, outcome, said)
  return finish(outcome, item.place .. '\n' .. (said or ''))
end

-- ---- Is everything as the agent has seen it?

local function has_changed()
  for _, save in ipairs(saves) do
    if save.id ~= '' and is_live(save.ref) ~= (save.kind == 'put') then
      return true
    end
  end
  return false
end

-- What is unique is looked at as it will be: who takes a place, and who has left it by then.
local takes, leaves = {}, {}

local function leaves_indexes(ref, changed)
  for key in string.gmatch(redis.call('HGET', object_key(ref), '@x') or '', '[^\n]+') do
    if index_is_touched(string.match(key, '}:x:([^:]*)'), changed) then
      leaves[key .. '\0' .. member_of(ref)] = true
    end
  end
end

-- The first unique index in which another object has the place that this one would take.
local function conflict_of(save, changed, text_of)
  for _, index in ipairs(save.indexes) do
    local key = index.unique and index_is_touched(index.columns, changed) and index_key(index, text_of)
    for _, other in ipairs(key and redis.call('ZRANGE', key, 0, 1) or {}) do
      if other ~= member_of(save.ref) and not leaves[key .. '\0' .. other] then
        return index
      end
    end
    if key and takes[key] then
      return index
    elseif key then
      takes[key] = true
    end
  end
  return nil
end

-- ---- The checks: why a save or a removal is refused; nil if it is not

local refusal_to = {}

function refusal_to.refuse(save)
  return save.outcome, save.said
end

-- A family has an id once, among those that are made together, too. Returns the class of the other one.
local made = {}
local function namesake_among_new(save)
  local family = save.new.family
  if family == '' or save.id == '' then
    return nil
  end
  local name, other = family .. ':' .. save.id, nil
  other, made[name] = made[name], save.lineage.names[1]
  return other
end

function refusal_to.create(save)
  if not allowed_new(sid, save.rule, save.lineage.names[1], save.values) then
    return 'forbidden'
  elseif save.id ~= '' and redis.call('HEXISTS', object_key(save.ref), '@d') == 1 then
    return 'removed'
  end
  local guarded = guarded_new(sid, save.guards, save.lineage.names[1], save.values)
  if guarded then
    return 'guarded', guarded
  end
  local namesake = namesake_among_new(save)
  if namesake then
    return 'taken', namesake
  end
  return new_place_refusal(save.new)
end

function refusal_to.put(save)
  if not allowed(sid, save.rule, save.ref) then
    return 'forbidden'
  end
  local guarded = guarded_put(sid, save.ref, save.guards, save.values)
  if guarded then
    return 'guarded', guarded
  end
  local _, _, created = object_state(save.ref)
  local refusal, said
  save.put, refusal, said = put_begin(save.ref, created, save.values, time, false)
  if not save.put then
    return refusal, said
  end
  leaves_indexes(save.ref, save.put.changed)
  return save.put.stale and 'stale' or nil
end

-- Beside that what is known only when all others are.
local function late_refusal(save)
  local changed = save.put and save.put.changed
  local conflict = conflict_of(save, changed, save.put and put_text_of(save.put) or text_among(save.values))
  if conflict then
    return 'unique', conflict.name
  end
  return nil
end

local function foresee()
  for _, save in ipairs(saves) do
    will_be[save.ref] = true
  end
  for _, removal in ipairs(removals) do
    will_be[removal.ref] = false
    leaves_indexes(removal.ref, nil)
  end
end

local function check()
  for _, removal in ipairs(removals) do
    if is_live(removal.ref) and not allowed(sid, removal.rule, removal.ref) then
      return removal, 'forbidden'
    end
  end
  foresee()
  for _, step in ipairs({ function(save)
    return refusal_to[save.kind](save)
  end, late_refusal }) do
    for _, save in ipairs(saves) do
      local refusal, said = step(save)
      if refusal then
        return save, refusal, said
      end
    end
  end
  return nil
end

-- ---- The writes

local apply = {}

function apply.create(save)
  save.ref = new_make(save.new, accepted, sid)
  return 1, true
end

function apply.put(save)
  if #save.put.taken == 0 then
    return tonumber(redis.call('HGET', object_key(save.ref), '@v')), false
  end
  local version, sees_the_same = with_sight(save.ref, function()
    return put_apply(save.put, save.lineage, save.indexes, sid, accepted, earlier_limits)
  end)
  save.complete = sees_the_same and save.complete or 0
  return version, true
end

-- It may not be there, or have gone with one before it.
local function apply_removal(removal)
  return is_live(removal.ref) and remove_all(removal.ref, sid, accepted, lease) or 0
end

-- Returns what is said of each of all, and whether the writer knows all that has changed (1 or 0).
local function apply_all()
  local lines, complete = {}, 1
  for i, save in ipairs(saves) do
    local version, has_changed_it = apply[save.kind](save)
    lines[i] = version .. ' ' .. save.ref
    complete = math.min(complete, save.complete)
    if has_changed_it then
      fan_out(save.ref, 'u', version, save.lineage, sid, save.complete, lease)
    end
  end
  for _, save in ipairs(saves) do -- only now is it known who may read them
    if save.kind == 'create' and not ended and may_read(sid, save.ref, restricted) then
      watch(sid, save.ref)
    end
  end
  for _, removal in ipairs(removals) do
    table.insert(lines, apply_removal(removal) .. ' ' .. removal.ref)
  end
  return lines, complete
end

if has_changed() then
  return { 'changed', sid }
end
local item, outcome, said = check()
if item then
  return refuse(item, outcome, said)
end
will_be = {}
local lines, complete = apply_all()
return finish_changed(table.concat(lines, '\n'), complete)
