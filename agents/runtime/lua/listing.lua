-- Listed to-many fields (design section 8, "Relations"). Each is stored at the object that shows it
-- like any other of its fields, derived from what refers to the object, and set anew by the script
-- that changes a reference. The listings that it has to mind are its first arguments, as listings.c
-- writes them.

-- Members that are written in one step beyond the first object's; a job does the rest.
local MOST_LISTED_AT_ONCE = 2000

local families = {} -- class -> its lineage

-- What there is to do where nothing is listed. The functions for the rest are made only when they are
-- needed, since making them costs every write.
local function nothing() end
local touch, overfull, listings_refresh_one, listings_refresh = nothing, nothing, nothing, nothing

local listing_count = arg_number()
if listing_count > 0 then
  local listings = {}

  local function set_of(list)
    local set = {}
    for _, item in ipairs(list) do
      set[item] = true
    end
    return set
  end

  local function arg_owners()
    local owners = {}
    for _ = 1, arg_number() do
      local lineage = arg_lineage()
      families[lineage.names[1]] = lineage
      owners[lineage.names[1]] = true
    end
    return owners
  end

  for i = 1, listing_count do
    local listing = { field = arg(), name = arg(), onward = arg(), is_owner = arg_owners() }
    listing.sources, listing.inverse_of = {}, {}
    for j = 1, arg_number() do
      listing.sources[j] = arg()
      listing.inverse_of[listing.sources[j]] = arg()
    end
    listing.is_member = set_of(arg_list())
    listings[i] = listing
  end
  local max_listed = arg_number()

  -- Objects whose listed fields may have got other members, each once, in the order of the changes.
  local touched = {}
  function touch(ref)
    if not touched[ref] then
      touched[ref] = true
      table.insert(touched, ref)
    end
  end

  -- `ref` has begun or ceased to refer to `target`: who lists it, or lists the target through it?
  function reference_changed(ref, field, target)
    for _, listing in ipairs(listings) do
      local inverse = listing.inverse_of[class_and_id(ref)]
      if inverse == field then
        touch(target)
      elseif inverse and listing.onward == field then
        each_ref(refs_of(ref, inverse), touch)
      end
    end
  end

  -- Where the objects of a class stand among all that refers to another one.
  local function range_of(listing, class)
    return references_range(listing.inverse_of[class], class)
  end

  local function count_sources(listing, parent)
    local count = 0
    for _, class in ipairs(listing.sources) do
      count = count + redis.call('ZLEXCOUNT', object_key(parent, ':r'), range_of(listing, class))
    end
    return count
  end

  -- What refers to the parent, by class and id. Visits no more than may be listed, and returns how many.
  local function each_source(listing, parent, visit)
    local left = max_listed
    for _, class in ipairs(listing.sources) do
      local from, to = range_of(listing, class)
      local entries =
        redis.call('ZRANGEBYLEX', object_key(parent, ':r'), from, to, 'LIMIT', 0, left)
      for _, entry in ipairs(entries) do
        visit(string.sub(entry, #listing.inverse_of[class] + 2))
      end
      left = left - #entries
    end
    return max_listed - left
  end

  -- What the join objects refer to, each once. Redis sorts by bytes, Lua as the machine's language does.
  local function members_through(listing, parent)
    local members, sorting = {}, object_key(parent, ':sort')
    local count = each_source(listing, parent, function(join)
      each_ref(refs_of(join, listing.onward), function(member)
        local class, id = class_and_id(member)
        if listing.is_member[class] then
          redis.call('ZADD', sorting, 0, class .. '\n' .. id)
        end
      end)
    end)
    for i, member in ipairs(redis.call('ZRANGE', sorting, 0, -1)) do
      members[i] = string.gsub(member, '\n', ':', 1)
    end
    redis.call('DEL', sorting)
    return members, count
  end

  local function members_of(listing, parent)
    if listing.onward ~= '' then
      return members_through(listing, parent)
    end
    local members = {}
    local count = each_source(listing, parent, function(source)
      table.insert(members, source)
    end)
    return members, count
  end

  -- The name of a listed field that would get too many members if `ref` referred to these, beside those
  -- that were asked for before; nil if none. Of a join class its objects are counted, since they are
  -- what a list costs.
  local asked_for = {}
  function overfull(ref, field, refs)
    local full = nil
    for _, listing in ipairs(listings) do
      if listing.inverse_of[class_and_id(ref)] == field then
        for _, parent in ipairs(refs_gained(refs_of(ref, field), refs)) do
          local list = listing.name .. ' ' .. parent
          asked_for[list] = (asked_for[list] or 0) + 1
          if listing.is_owner[class_and_id(parent)]
            and count_sources(listing, parent) + asked_for[list] > max_listed then
            full = full or listing.name
          end
        end
      end
    end
    return full
  end

  -- Sets the listed fields of an object where their texts are other ones now, and has it told to all,
  -- the writer too: it was the server that changed this object. Returns what that has cost.
  function listings_refresh_one(parent, now, lease)
    local class, cost, changed = class_and_id(parent), 1, {}
    for _, listing in ipairs(listings) do
      if listing.is_owner[class] then
        local members, count = members_of(listing, parent)
        local text = pairs_text(members)
        cost = cost + count
        if text ~= (field_text(parent, listing.field) or '[]') then
          changed[listing.field] = text
        end
      end
    end
    if next(changed) then
      local version = object_step(parent)
      for field, text in pairs(changed) do
        field_set(parent, field, version, now, text, '')
      end
      history_add(families[class], parent, now, nil)
      fan_out(parent, 'u', version, families[class], '', 1, lease)
    end
    return cost
  end

  -- The end of every script that changes references.
  function listings_refresh(now, lease)
    local left = MOST_LISTED_AT_ONCE
    for _, parent in ipairs(touched) do
      if left <= 0 then
        cascade_list(parent, now, lease)
      elseif is_live(parent) then
        left = left - listings_refresh_one(parent, now, lease)
      end
    end
  end
end

-- Is an object as good as none to whoever writes? nil: none is.
local is_hidden = nil

local function hidden_reference(ref, field, refs)
  for _, target in ipairs(is_hidden and refs_gained(refs_of(ref, field), refs) or {}) do
    if is_hidden(target) then
      return target
    end
  end
  return nil
end

-- Why the object may not refer to these: an outcome, and what is said beside it; nil if it may.
local function reference_refusal(ref, field, refs)
  if refs == '' then
    return nil
  end
  local broken = broken_reference(refs) or hidden_reference(ref, field, refs)
  if broken then
    return 'reference', broken
  end
  local full = overfull(ref, field, refs)
  return full and 'full', full
end
