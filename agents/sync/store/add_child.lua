-- "add_child": makes a document, or takes one that is there, and makes it the child of another, in one
-- step.
-- Arguments: those of written.lua, for the parent; its rule for reads; the child: lineage, id ("": made
-- here), what arg_new() reads, the guards of what is given, rules for creations, reads and updates; whether
-- nothing but its key is given (1 or 0), whether clients may choose its id (1 or 0), the first required
-- field that is missing (""), whether the writer knows all that is made (1 or 0); how children are known:
--   list      column of the parent that refers to them, its name, its rule for updates ("": none of its
--             own), most members
--   inverse   column of the child that refers to the parent, its name, its rule, whether it is a list
--             (1 or 0)
--   through   lineage, id ("": made here), what arg_new() reads of a join object without the child, its
--             columns that refer to the parent and to the child
--   id        what their ids begin with
-- Returns client | again, sid, outcome | missing | forbidden | guarded, sid, field | exists | unknown |
--         elsewhere | removed | incomplete, sid, field | taken, sid, class | reference, sid, ref |
--         full, sid, field | unique, sid, index | same, sid, id | ok, sid, id, jobs, cascade.
local MOST_LOOKED_AT = 1000 -- references to a child, when it is sought among the children

local parent, read = class .. ':' .. id, arg()
local child_lineage, child_id = arg_lineage(), arg()
local new, guards = arg_new(child_lineage, child_id), arg_list()
local may = { create = arg(), read = arg(), update = arg() }
local bare, may_choose, missing, complete = arg() == '1', arg() == '1', arg(), arg_number()

local function is_among(refs, ref)
  return string.find('\n' .. refs .. '\n', '\n' .. ref .. '\n', 1, true) ~= nil
end

-- What a list of references is with this one behind the others: field, text, refs.
local function appended(ref, field, target)
  local refs = refs_of(ref, field)
  if refs == '' then
    return { field, '[' .. pair_text(target) .. ']', target }
  end
  local text = string.sub(field_text(ref, field), 1, -2) .. ',' .. pair_text(target) .. ']'
  return { field, text, refs .. '\n' .. target }
end

-- For each way: is it a child already, why can it not become one, and making it one. What `begin` does
-- belongs to a child that is to be made.
local ways = {}

function ways.list()
  local field, name, guard, most = arg(), arg(), arg(), arg_number()
  local refs = refs_of(parent, field)
  local way = {}

  function way.has(child)
    return is_among(refs, child)
  end

  function way.refusal()
    local _, count = string.gsub(refs, '[^\n]+', '')
    if guard ~= '' and not allowed(sid, guard, parent) then
      return 'guarded', name
    elseif count >= most then
      return 'full', name
    end
    return nil
  end

  function way.link(child)
    local version, sees_the_same = with_sight(parent, function()
      return object_change(lineage, parent, accepted, appended(parent, field, child), {}, sid)
    end)
    fan_out(parent, 'u', version, lineage, sid, sees_the_same and complete or 0, lease)
  end
  return way
end

-- A child that is made brings the reference along.
function ways.inverse()
  local field, name, guard, is_list = arg(), arg(), arg(), arg() == '1'
  local way = {}

  function way.has(child)
    return is_among(refs_of(child, field), parent)
  end

  function way.refusal(child)
    if not child then
      return nil
    elseif not allowed(sid, may.update, child) then
      return 'forbidden'
    elseif guard ~= '' and not allowed(sid, guard, child) then
      return 'guarded', name
    end
    return reference_refusal(child, field, parent)
  end

  function way.link(child, is_new)
    if not is_new then
      local values = is_list and appended(child, field, parent) or { field, pair_text(parent), parent }
      local version, sees_the_same = with_sight(child, function()
        return object_change(new.lineage, child, accepted, values, new.indexes, sid)
      end)
      fan_out(child, 'u', version, new.lineage, sid, sees_the_same and complete or 0, lease)
    end
  end
  return way
end

function ways.through()
  local join_lineage, join_id = arg_lineage(), arg()
  local join = arg_new(join_lineage, join_id)
  local here, onward = arg(), arg()
  local way = {}

  function way.has(child)
    local from, to = references_range(onward, join.lineage.names[1])
    local entries =
      redis.call('ZRANGEBYLEX', object_key(child, ':r'), from, to, 'LIMIT', 0, MOST_LOOKED_AT)
    for _, entry in ipairs(entries) do
      if refs_of(string.sub(entry, #onward + 2), here) == parent then
        return true
      end
    end
    return false
  end

  function way.refusal()
    return new_refusal(join)
  end

  function way.link(child)
    for _, part in ipairs({ onward, pair_text(child), child }) do
      table.insert(join.values, part)
    end
    local ref = new_make(join, accepted, sid)
    fan_out(ref, 'u', 1, join.lineage, sid, complete, lease)
  end
  return way
end

function ways.id()
  local item = arg()
  local way = {}

  function way.begin()
    new.id = object_next_number(new.lineage, item)
  end

  function way.has(child)
    local _, its_id = class_and_id(child)
    return string.sub(its_id, 1, #item + 2) == '[' .. item .. ','
  end

  function way.refusal(child)
    return child and 'elsewhere' or nil
  end

  function way.link()
    object_number_on(new.lineage, new.id)
  end
  return way
end

local way = ways[arg()]()

local function take(child)
  if not allowed(sid, may.read, child) then
    return finish('forbidden')
  elseif not bare then
    return finish('exists')
  elseif way.has(child) then
    return finish('same', new.id)
  end
  local refusal, said = way.refusal(child)
  if refusal then
    return finish(refusal, said)
  end
  complete = 1 -- nothing but the link is new
  way.link(child, false)
  return finish_changed(new.id, complete)
end

local function refusal_to_make()
  if new.id ~= '' and not may_choose then
    return 'unknown'
  elseif not allowed_new(sid, may.create, child_lineage.names[1], new.values) then
    return 'forbidden'
  elseif new.id ~= '' and redis.call('HEXISTS', object_key(new_ref(new)), '@d') == 1 then
    return 'removed'
  elseif missing ~= '' then
    return 'incomplete', missing
  end
  local guarded = guarded_new(sid, guards, child_lineage.names[1], new.values)
  if guarded then
    return 'guarded', guarded
  end
  local refusal, said = new_refusal(new)
  if refusal then
    return refusal, said
  end
  return way.refusal(nil)
end

local function make()
  local refusal, said = refusal_to_make()
  if refusal then
    return finish(refusal, said)
  end
  if way.begin then
    way.begin()
  end
  local child = new_make(new, accepted, sid)
  fan_out(child, 'u', 1, new.lineage, sid, complete, lease)
  way.link(child, true)
  return finish_changed(new.id, complete)
end

if not is_live(parent) then
  return finish('missing')
elseif not (allowed(sid, read, parent) and allowed(sid, rule, parent)) then
  return finish('forbidden')
elseif new.id ~= '' and is_live(new_ref(new)) then
  return take(new_ref(new))
end
return make()
