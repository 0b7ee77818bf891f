-- Views (spec "content protocol"): the children of an object in a declared order. A view is built step
-- by step when it is first asked for, and kept from the first step on by every commit (children.lua); what
-- either does can be done again, so that they may meet in any order.
--
--   {o:<parent>}:vs        view -> "<build> <digest of its definition> <number of the model>"
--   {o:<parent>}:va        view -> how far it is built: "<number of a class> <last entry>"; absent: done
--   {o:<parent>}:v:<view>  zset of scores 0: "<sort key>\0<child>"
--   {o:<parent>}:vb:<view> the members of a list that are still to be placed
--   {o:<parent>}:vl        zset: "<child>\n<join object>", what a join class links
--   {o:<parent>}:vg:<build>  what `:v` was of a view that is gone, until its children know
--   {o:<child>}:in         "<parent>\n<view>" -> "<build> <sort key>"
--   views                  digest -> definition; views:next counts the builds
--
-- What stands in `:in` under another build than the view's is of a view that is gone.
--
-- The nameless view has no order. It is there where somebody minds the children and has asked for no
-- view, so that a change of a child finds the parent.

-- The functions are made only when they are needed, since making them costs every write.
local function views_open()
  local sort_key = sort_keys()
  local views, definitions, members_of_lists = {}, {}, {}

  local function set_key(parent, view)
    return object_key(parent, ':v:' .. view)
  end

  local function member(key, child)
    return key .. '\0' .. child
  end

  local function definition_of(digest)
    if not definitions[digest] then
      definitions[digest] = cjson.decode(redis.call('HGET', 'views', digest))
    end
    return definitions[digest]
  end

  local function parse(parent, name, value)
    local build, digest, model = string.match(value, '^(%S+) (%S+) (%S+)$')
    return { parent = parent, name = name, build = build, digest = digest, model = model }
  end

  local function view_of(parent, name)
    local value = redis.call('HGET', object_key(parent, ':vs'), name)
    return value and parse(parent, name, value)
  end

  -- Each view of the parent.
  local known = {}
  local function views_of(parent)
    if not known[parent] then
      local list, stored = {}, redis.call('HGETALL', object_key(parent, ':vs'))
      for i = 1, #stored, 2 do
        table.insert(list, parse(parent, stored[i], stored[i + 1]))
      end
      known[parent] = list
    end
    return known[parent]
  end

  -- ---- Places

  -- Where the child is in the view: its sort key; nil if nowhere.
  local function place_of(view, child)
    local entry = redis.call('HGET', object_key(child, ':in'), view.parent .. '\n' .. view.name)
    local build, key = string.match(entry or '', '^(%d+) (.*)$')
    return build == view.build and key or nil
  end

  -- Where it belongs; nil if nowhere, since it is gone or of no class that is shown.
  local function place_wanted(view, child)
    local definition = definition_of(view.digest)
    local class = definition.classes[class_and_id(child)]
    if not class then
      return nil
    end
    local texts = redis.call('HMGET', object_key(child), '@c', unpack(class.columns))
    if not table.remove(texts, 1) then
      return nil
    end
    for i, value in ipairs(texts) do
      local _, _, text = field_parts(value)
      texts[i] = text or false
    end
    return sort_key(definition, child, texts)
  end

  local function take_out(view, child, key)
    redis.call('ZREM', set_key(view.parent, view.name), member(key, child))
    redis.call('HDEL', object_key(child, ':in'), view.parent .. '\n' .. view.name)
  end

  -- The child stands at this key from now on (nil: nowhere). Has that changed anything?
  local function put_at(view, child, key)
    local before = place_of(view, child)
    if before == key then
      return false
    end
    if before then
      take_out(view, child, before)
    end
    if key then
      redis.call('ZADD', set_key(view.parent, view.name), 0, member(key, child))
      redis.call('HSET', object_key(child, ':in'), view.parent .. '\n' .. view.name,
        view.build .. ' ' .. key)
    end
    return true
  end

  function views.place(view, child)
    return put_at(view, child, place_wanted(view, child))
  end

  -- The same for one that is most probably not in the view yet.
  local function place_new(view, child)
    local key = place_wanted(view, child)
    local entry = key and view.build .. ' ' .. key
    local place = view.parent .. '\n' .. view.name
    if key and redis.call('HSETNX', object_key(child, ':in'), place, entry) == 1 then
      redis.call('ZADD', set_key(view.parent, view.name), 0, member(key, child))
    else
      put_at(view, child, key)
    end
  end

  -- ---- Links

  -- Does this column of an object refer to the target?
  local function refers(ref, column, target)
    if not column then
      return false
    end
    local memo = ref .. '\n' .. column
    if not members_of_lists[memo] then
      local set = {}
      each_ref(refs_of(ref, column), function(other)
        set[other] = true
      end)
      members_of_lists[memo] = set
    end
    return members_of_lists[memo][target] ~= nil
  end

  local is_linked_by = {}

  function is_linked_by.list(relation, parent, child)
    return refers(parent, relation.columns[class_and_id(parent)], child)
  end

  function is_linked_by.inverse(relation, parent, child)
    return refers(child, relation.columns[class_and_id(child)], parent)
  end

  function is_linked_by.id(relation, parent, child)
    return relation.parent_of(child) == parent
  end

  local function joins(relation, join, parent, child)
    local class = class_and_id(join)
    return refers(join, relation.columns[class], parent) and refers(join, relation.onward[class], child)
  end

  -- By this join object, or by another one.
  function is_linked_by.through(relation, parent, child, join)
    local links = object_key(parent, ':vl')
    if joins(relation, join, parent, child) then
      redis.call('ZADD', links, 0, child .. '\n' .. join)
      return true
    end
    redis.call('ZREM', links, child .. '\n' .. join)
    local others = redis.call('ZRANGEBYLEX', links, '[' .. child .. '\n', '(' .. child .. '\v')
    for _, other in ipairs(others) do
      if joins(relation, string.sub(other, #child + 2), parent, child) then
        return true
      end
      redis.call('ZREM', links, other)
    end
    return false
  end

  -- The child, which may have been linked to the parent or not any more, gets its places.
  function views.relink(relation, parent, child, join)
    local list = views_of(parent)
    if #list == 0 then
      return
    end
    local linked = is_linked_by[relation.kind](relation, parent, child, join)
    for _, view in ipairs(list) do
      put_at(view, child, linked and place_wanted(view, child) or nil)
    end
  end

  -- ---- What shows a child

  -- Calls visit(view, key) for the places in the answer of HGETALL or HSCAN on `:in`. Those of views
  -- that are gone are forgotten.
  function views.each_place(child, entries, visit)
    for i = 1, #entries, 2 do
      local parent, name = string.match(entries[i], '^(.*)\n(.*)$')
      local build, key = string.match(entries[i + 1], '^(%d+) (.*)$')
      local shown = false
      for _, view in ipairs(views_of(parent)) do
        if view.name == name and view.build == build then
          shown = true
          visit(view, key)
        end
      end
      if not shown then
        redis.call('HDEL', object_key(child, ':in'), entries[i])
      end
    end
  end

  views.take_out = take_out

  -- ---- Building

  -- Orders the removal of what stands at the children (children.lua), and forgets the view.
  function views.drop(view, order)
    local key = set_key(view.parent, view.name)
    if redis.call('EXISTS', key) == 1 then
      local gone = object_key(view.parent, ':vg:' .. view.build)
      redis.call('RENAME', key, gone)
      order('forget', gone, view.parent .. '\n' .. view.name, view.build)
    end
    redis.call('DEL', object_key(view.parent, ':vb:' .. view.name))
    redis.call('HDEL', object_key(view.parent, ':vs'), view.name)
    redis.call('HDEL', object_key(view.parent, ':va'), view.name)
    known[view.parent] = nil
  end

  -- All of an object that has gone.
  function views.drop_all(parent, order)
    for _, view in ipairs(views_of(parent)) do
      views.drop(view, order)
    end
    redis.call('UNLINK', object_key(parent, ':vl'))
  end

  local function model_number()
    return redis.call('HGET', 'model', 'number') or '0'
  end

  -- The view with this definition; begun, if there is none or another one. While another model was
  -- applied it may not have been kept.
  function views.open(relation, parent, name, digest, definition, order)
    local view = view_of(parent, name)
    if view and view.digest == digest and view.model == model_number() then
      return view
    elseif view then
      views.drop(view, order)
    end
    redis.call('HSETNX', 'views', digest, definition)
    local build = tostring(redis.call('INCR', 'views:next'))
    redis.call('HSET', object_key(parent, ':vs'), name, build .. ' ' .. digest .. ' ' .. model_number())
    redis.call('HSET', object_key(parent, ':va'), name, '1 ')
    if relation.kind == 'list' then
      each_ref(refs_of(parent, relation.columns[class_and_id(parent)]), function(child)
        redis.call('RPUSH', object_key(parent, ':vb:' .. name), child)
      end)
    end
    known[parent] = nil
    return view_of(parent, name)
  end

  -- The nameless view.
  function views.open_plain(relation, parent, order)
    local classes = {}
    for i, class in ipairs(relation.members) do
      classes[i] = string.format('"%s":{"place":%d,"id":"string","columns":[]}', class, i)
    end
    local definition = '{"orders":[],"classes":{' .. table.concat(classes, ',') .. '}}'
    return views.open(relation, parent, '', redis.sha1hex(definition), definition, order)
  end

  function views.is_built(view)
    return redis.call('HEXISTS', object_key(view.parent, ':va'), view.name) == 0
  end

  -- The next entries of one class that link children, behind the last one: a list, and what places the
  -- children of an entry.
  local walks = {}

  local function entries_of(key, prefix, last, most)
    local from = last == '' and '[' .. prefix or '(' .. last
    local behind = string.sub(prefix, 1, -2) .. string.char(string.byte(prefix, -1) + 1)
    return redis.call('ZRANGEBYLEX', key, from, '(' .. behind, 'LIMIT', 0, most)
  end

  local function referring(relation, view, class, last, most)
    local column = relation.columns[class] .. '\n'
    local entries = entries_of(object_key(view.parent, ':r'), column .. class .. ':', last, most)
    return entries, #column + 1
  end

  function walks.list(relation, view, _, _, most)
    local list = object_key(view.parent, ':vb:' .. view.name)
    return redis.call('LPOP', list, most) or {}, function(child)
      if is_linked_by.list(relation, view.parent, child) then -- it may have left the list since
        place_new(view, child)
      end
    end
  end

  function walks.inverse(relation, view, class, last, most)
    local entries, from = referring(relation, view, class, last, most)
    return entries, function(entry)
      place_new(view, string.sub(entry, from))
    end
  end

  function walks.through(relation, view, class, last, most)
    local entries, from = referring(relation, view, class, last, most)
    return entries, function(entry)
      local join = string.sub(entry, from)
      each_ref(refs_of(join, relation.onward[class]), function(child)
        redis.call('ZADD', object_key(view.parent, ':vl'), 0, child .. '\n' .. join)
        place_new(view, child)
      end)
    end
  end

  function walks.id(relation, view, class, last, most)
    local prefix = '[' .. relation.item_of(view.parent) .. ','
    local entries = entries_of(class_key(class, ':ids'), prefix, last, most)
    return entries, function(entry)
      local id, its_class = string.match(entry, '^(.*)\n(.*)$')
      place_new(view, its_class .. ':' .. id)
    end
  end

  -- One step: places the next children.
  function views.build(relation, view, most)
    local at = redis.call('HGET', object_key(view.parent, ':va'), view.name)
    local number, last = string.match(at, '^(%d+) (.*)$')
    local class = relation.walked[tonumber(number)]
    local entries, place = walks[relation.kind](relation, view, class, last, most)
    for _, entry in ipairs(entries) do
      place(entry)
    end
    local key = object_key(view.parent, ':va')
    if #entries == most then
      redis.call('HSET', key, view.name, number .. ' ' .. entries[most])
    elseif relation.walked[number + 1] then
      redis.call('HSET', key, view.name, number + 1 .. ' ')
    else
      redis.call('HDEL', key, view.name)
    end
  end

  return views
end
