-- Children (spec "content protocol"): whoever changes a reference or a field that pages show keeps the
-- views of the parents (view.lua), and has those told who mind their children. What the script has to
-- know of it are arguments, as children.c writes them, behind the listings.

-- Places that are looked after in one step; a job does the rest (cascade.lua).
local MOST_PLACES_AT_ONCE = 100

-- What there is to do for classes without children, and for those that are nobody's.
local children = { refresh = function() end }

local relation_count = arg_number()
if relation_count > 0 then
  -- What makes which child of an owner. Class -> column: `columns` refer to the parent (of a list: to
  -- the children), `onward` those of join objects to the child. `walked`: the classes to look through
  -- for children.
  local function arg_relation()
    local relation = { owner = arg(), owner_id = arg(), kind = arg(), columns = {}, onward = {},
      walked = {} }
    local sources = arg_list()
    for i = 1, #sources, 3 do
      relation.columns[sources[i]] = sources[i + 1]
      relation.onward[sources[i]] = sources[i + 2]
      table.insert(relation.walked, sources[i])
    end
    relation.members = arg_list()
    return relation
  end

  -- An array id begins with that of the parent.
  local function add_ids(relation)
    function relation.parent_of(child)
      local _, id = class_and_id(child)
      local first = id_items(id)[1]
      if string.sub(first, 1, 1) == '"' then
        first = relation.owner_id == 'string' and unquoted(first)
      elseif relation.owner_id ~= 'integer' then
        first = nil
      end
      return first and relation.owner .. ':' .. first
    end

    function relation.item_of(parent)
      local _, id = class_and_id(parent)
      return relation.owner_id == 'integer' and id or quoted(id)
    end
    relation.walked = relation.members
  end

  local relations_of = {} -- owner -> its relation
  local by_column = {}    -- "<class>\n<column>" -> relations that the reference is part of
  local by_id = {}        -- class -> relations that its ids are part of
  local is_member = {}

  local function add_to(map, key, relation)
    map[key] = map[key] or {}
    table.insert(map[key], relation)
  end

  for _ = 1, relation_count do
    local relation = arg_relation()
    relations_of[relation.owner] = relation
    for class, column in pairs(relation.columns) do
      add_to(by_column, class .. '\n' .. column, relation)
    end
    for class, column in pairs(relation.onward) do
      if column ~= '' then
        add_to(by_column, class .. '\n' .. column, relation)
      end
    end
    if relation.kind == 'id' then
      add_ids(relation)
    end
    for _, class in ipairs(relation.members) do
      is_member[class] = true
      if relation.kind == 'id' then
        add_to(by_id, class, relation)
      end
    end
  end

  -- Class -> column -> 'shown' in summaries, or only what some view 'sorts' by.
  local columns_of = {}
  for _ = 1, arg_number() do
    local class, columns = arg(), {}
    for _, column in ipairs(arg_list()) do
      columns[column] = 'sorts'
    end
    for _, column in ipairs(arg_list()) do
      columns[column] = 'shown'
    end
    columns_of[class] = columns
  end

  -- ---- What the script changes

  local links, link_known = {}, {}
  local changed, born, gone = {}, {}, {}

  local function touch_link(relation, parent, child, join)
    local name = table.concat({ relation.owner, parent, child, join }, '\n')
    if not link_known[name] and class_and_id(parent) == relation.owner then
      link_known[name] = true
      table.insert(links, { relation, parent, child, join })
    end
  end

  -- `ref` has begun or ceased to refer to the target: which children may that make or end?
  local touch_by = {}

  function touch_by.list(relation, ref, _, target)
    touch_link(relation, ref, target, '')
  end

  function touch_by.inverse(relation, ref, _, target)
    touch_link(relation, target, ref, '')
  end

  function touch_by.through(relation, ref, field, target)
    local class = class_and_id(ref)
    if relation.columns[class] == field then
      each_ref(refs_of(ref, relation.onward[class]), function(child)
        touch_link(relation, target, child, ref)
      end)
    else
      each_ref(refs_of(ref, relation.columns[class]), function(parent)
        touch_link(relation, parent, target, ref)
      end)
    end
  end

  local function touch_reference(ref, field, target)
    for _, relation in ipairs(by_column[class_and_id(ref) .. '\n' .. field] or {}) do
      touch_by[relation.kind](relation, ref, field, target)
    end
  end

  local heard_before = reference_changed
  function reference_changed(ref, field, target)
    touch_reference(ref, field, target)
    if heard_before then
      heard_before(ref, field, target)
    end
  end

  function field_changed(ref, field)
    local columns = columns_of[class_and_id(ref)]
    local what = columns and columns[field]
    if what and changed[ref] ~= 'shown' then
      changed[ref] = what
    end
  end

  local function touch_by_id(ref)
    for _, relation in ipairs(by_id[class_and_id(ref)] or {}) do
      local parent = relation.parent_of(ref)
      if parent then
        touch_link(relation, parent, ref, '')
      end
    end
  end

  function object_born(ref)
    changed[ref] = nil
    touch_by_id(ref)
    table.insert(born, ref)
  end

  function object_gone(ref)
    touch_by_id(ref)
    table.insert(gone, ref)
  end

  -- ---- What comes of it

  local views = nil
  local function stored_views()
    views = views or views_open()
    return views
  end

  -- Parents, each once; that one has gone is told to all who mind it.
  local told, told_known = {}, {}
  local function tell(parent)
    if not told_known[parent] and is_live(parent) then
      told_known[parent] = true
      table.insert(told, parent)
    end
  end

  local has_views = {}
  local function is_viewed(parent)
    if has_views[parent] == nil then
      has_views[parent] = redis.call('EXISTS', object_key(parent, ':vs')) == 1
    end
    return has_views[parent]
  end

  local function relink(relation, parent, child, join)
    tell(parent)
    stored_views().relink(relation, parent, child, join)
  end

  -- The child has moved (`what`: 'sorts'), or what is shown of it is another ('shown').
  local function replace(child, what, entries)
    stored_views().each_place(child, entries, function(view)
      if stored_views().place(view, child) or what == 'shown' then
        tell(view.parent)
      end
    end)
  end

  -- What referred to the object before it was there. Returns the last of these if there may be more.
  local function touch_referring(ref, last, most)
    local from = last == '' and '-' or '(' .. last
    local entries = redis.call('ZRANGEBYLEX', object_key(ref, ':r'), from, '+', 'LIMIT', 0, most)
    for _, entry in ipairs(entries) do
      local field, referring = field_and_ref(entry)
      touch_reference(referring, field, ref)
    end
    return #entries == most and entries[most]
  end

  -- Is there time left for so many places?
  local places_left = MOST_PLACES_AT_ONCE
  local function spend(places)
    if places > places_left then
      return false
    end
    places_left = places_left - places
    return true
  end

  -- What is left for the job.
  local function orders(time, lease)
    return function(...)
      cascade_children(time, lease, ...)
    end
  end

  local function refresh_born(ref, order)
    local class = class_and_id(ref)
    local last = is_member[class] and touch_referring(ref, '', MOST_PLACES_AT_ONCE)
    if last then
      order('born', ref, last)
    end
    if relations_of[class] and redis.call('EXISTS', object_key(ref, ':cw')) == 1 then
      order('watch', ref)
    end
  end

  local function refresh_changed(child, what, order)
    local key = object_key(child, ':in')
    local count = redis.call('HLEN', key)
    if count == 0 then
      return
    elseif spend(count) then
      replace(child, what, redis.call('HGETALL', key))
    else
      order('move', child, what, '0')
    end
  end

  local function refresh_gone(ref, order)
    if is_viewed(ref) then
      stored_views().drop_all(ref, order)
    end
    refresh_changed(ref, 'shown', order)
  end

  local function refresh_links(order)
    for _, link in ipairs(links) do
      local relation, parent, child, join = unpack(link)
      if not is_viewed(parent) then
        tell(parent)
      elseif spend(1) then
        relink(relation, parent, child, join)
      else
        order('link', relation.owner, parent, child, join)
      end
    end
  end

  -- The end of every script that changes objects. `complete` is 1 if the writer knows all of it.
  function children.refresh(writer, complete, time, lease)
    local order = orders(time, lease)
    for _, ref in ipairs(born) do
      refresh_born(ref, order)
    end
    for _, ref in ipairs(gone) do
      changed[ref] = nil
      refresh_gone(ref, order)
    end
    refresh_links(order)
    for ref, what in pairs(changed) do
      refresh_changed(ref, what, order)
    end
    for _, parent in ipairs(told) do
      fan_out_children(parent, writer, complete, lease)
    end
  end

  -- ---- The job's part

  local steps = {}

  function steps.link(_, _, owner, parent, child, join)
    if relations_of[owner] then
      relink(relations_of[owner], parent, child, join)
    end
  end

  function steps.born(most, _, ref, last)
    last = touch_referring(ref, last, most)
    return last and { 'born', ref, last }
  end

  function steps.move(most, _, child, what, cursor)
    local page = redis.call('HSCAN', object_key(child, ':in'), cursor, 'COUNT', most)
    replace(child, what, page[2])
    return page[1] ~= '0' and { 'move', child, what, page[1] }
  end

  function steps.forget(most, _, key, place, build)
    local popped = redis.call('ZPOPMIN', key, most)
    for i = 1, #popped, 2 do
      local shown_at = object_key(string.match(popped[i], '([^%z]*)$'), ':in')
      local entry = redis.call('HGET', shown_at, place)
      if entry and string.match(entry, '^%d+') == build then
        redis.call('HDEL', shown_at, place)
      end
    end
    return #popped == most * 2 and { 'forget', key, place, build }
  end

  -- Somebody minds the children of an object. Any view of them that is built serves.
  function steps.watch(most, order, parent)
    local relation = relations_of[class_and_id(parent)]
    if not relation or not is_live(parent) or has_built_view(parent) then
      return nil
    end
    local view = stored_views().open_plain(relation, parent, order)
    if not stored_views().is_built(view) then
      stored_views().build(relation, view, most)
    end
    return not stored_views().is_built(view) and { 'watch', parent }
  end

  -- One step of what `queue` holds.
  function children.step(queue, most, time, lease)
    local parts, order = {}, orders(time, lease)
    for part in string.gmatch(redis.call('LINDEX', queue, 0) .. '\0', '([^%z]*)%z') do
      table.insert(parts, part)
    end
    local rest = steps[table.remove(parts, 1)](most, order, unpack(parts))
    if rest then
      redis.call('LSET', queue, 0, table.concat(rest, '\0'))
    else
      redis.call('LPOP', queue)
    end
  end

  -- ---- The reader's part

  -- The view of a parent, one step nearer to being built; nil if the class has no children.
  function children.view(parent, name, digest, definition, time, most)
    local relation, stored = relations_of[class_and_id(parent)], stored_views()
    local view = stored.open(relation, parent, name, digest, definition, orders(time, time))
    if stored.is_built(view) then
      return true
    end
    stored.build(relation, view, most)
    return stored.is_built(view)
  end
end
