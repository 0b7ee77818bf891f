-- Rights (design section 12): every read, write and send goes through here. What a rule says: rule.lua.

-- May this session do to the object what the rule asks for? Without an object (nil) nobody owns it.
local function allowed(sid, rule, ref)
  return rule == 'everyone' or rule_allows(sid, rule, ref)
end

-- The same for an object of this class that is to be made of these: a list of field, text, refs.
local function allowed_new(sid, rule, class, values)
  return rule == 'everyone' or rule_allows_new(sid, rule, class, values)
end

-- Of what classes objects may be, or of whose objects more or less is to be said than that all who sign in
-- may read them (agents/sync/rights.h): the names in their order, and by name the rule for reads; columns
-- with one of their own, and these.
local function arg_restricted()
  local restricted = {}
  for i = 1, arg_number() do
    restricted[i] = arg()
    local class = { rule = arg(), columns = {}, fields = {} }
    for at = 1, arg_number() do
      class.columns[at] = arg()
      class.fields[class.columns[at]] = arg()
    end
    restricted[restricted[i]] = class
  end
  return restricted
end

local function may_read(sid, ref, restricted)
  local class = restricted[class_and_id(ref)]
  return allowed(sid, class and class.rule or 'signedIn', ref)
end

-- May the session see this column of an object that it may read?
local function may_see(sid, ref, column, restricted)
  local class = restricted[class_and_id(ref)]
  local rule = class and class.fields[column]
  return not rule or allowed(sid, rule, ref)
end

-- The columns that it may not see.
local NONE = {}
local function hidden_columns(sid, ref, restricted)
  local class = restricted[class_and_id(ref)]
  if not class or not class.columns[1] then
    return NONE
  end
  local hidden = {}
  for _, column in ipairs(class.columns) do
    if not may_see(sid, ref, column, restricted) then
      table.insert(hidden, column)
    end
  end
  return hidden
end

-- The same as a text; "": it sees all.
local function hidden_of(sid, ref, restricted)
  return table.concat(hidden_columns(sid, ref, restricted), ',')
end

-- What tells such a view of the object from others, as a part of its identity; "" of the whole.
local function view_of(sid, ref, restricted)
  local hidden = hidden_of(sid, ref, restricted)
  return hidden ~= '' and '-' .. string.sub(redis.sha1hex(hidden), 1, 8) or ''
end

-- The object as the session may see it, like HGETALL; the value of what is hidden is "-", whether or not
-- there is any.
local function fields_for(sid, ref, restricted)
  local fields, is_hidden = redis.call('HGETALL', object_key(ref)), {}
  for _, column in ipairs(hidden_columns(sid, ref, restricted)) do
    is_hidden[column] = true
  end
  if next(is_hidden) then
    for i = #fields - 1, 1, -2 do
      if is_hidden[fields[i]] then
        fields[i + 1], is_hidden[fields[i]] = '-', nil
      end
    end
    for column in pairs(is_hidden) do
      table.insert(fields, column)
      table.insert(fields, '-')
    end
  end
  return fields
end
