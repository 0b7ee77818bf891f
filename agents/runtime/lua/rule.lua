-- Rules (design section 12): who may do something, in texts that the model makes (common/model/model_rule.h).
-- A rule is alternatives, apart by "|", of which one must hold:
--
--   everyone | signedIn     every session | every one that does not belong to an anonymous user
--   nobody
--   owner:<column>          the column names the user, alone or in a list
--   role:<name>             the user has it
--   path:<step>;..;<end>    whom the objects name that the steps lead to
--
-- Before a rule with paths stands "<most>!": so many objects a path may come to; who is behind more is not
-- let in.
--
-- A step is ">" or "<" and a list of "<class>=<column>": objects of the class are left by what the column
-- refers to, or those are come to that refer here by it. The end is "=", where users' own objects are
-- reached, or "=" and such a list: the column of what is reached names the user.
--
-- A column names a user by their id or by the pair of their own object. `anonymous` has the sessions of
-- anonymous users.

-- Hears of what a rule has looked at: a column of an object, or "<<class>\t<column>" (watcher.lua).
local rule_reads = function() end

-- Of the paths of rules: went_far(): have they come to so many objects in this script that the rest is for the
-- next step? look_anew(): something has changed in this script, so what they came to counts no more.
local rule_paths = {}

-- May the session do what the rule asks for with an object that is there, or with one of a class that is to
-- be made of these values, a list of field, text, refs?
local rule_allows, rule_allows_new

do
  -- ---- Who a session is, looked up once in a script

  local people, roles_of, has_anonymous = {}, {}, nil

  local function person_of(sid)
    if not people[sid] then
      local stored = redis.call('HMGET', session_key(sid), 'user', 'me')
      people[sid] = { user = stored[1] or '', id = '"' .. (stored[1] or '') .. '"',
        me = stored[2] ~= '' and stored[2] or nil }
    end
    return people[sid]
  end

  local function is_anonymous(sid)
    if has_anonymous == nil then
      has_anonymous = redis.call('EXISTS', 'anonymous') == 1
    end
    return has_anonymous and redis.call('SISMEMBER', 'anonymous', sid) == 1
  end

  -- A user's roles: ",editor,reviewer,".
  local function has_role(sid, role)
    local user = person_of(sid).user
    rule_reads(user_ref(user), 'roles')
    roles_of[user] = roles_of[user] or redis.call('HGET', user_key(user), 'roles') or ''
    return string.find(roles_of[user], ',' .. role .. ',', 1, true) ~= nil
  end

  -- Quotes in a pair are escaped, so no value looks like one in a list.
  local function names_user(sid, text)
    local person = person_of(sid)
    return text == person.id or person.me ~= nil and (text == person.me
      or string.sub(text, 1, 1) == '[' and string.find(text, person.me, 1, true) ~= nil)
  end

  local function text_of(ref, column)
    rule_reads(ref, column)
    return field_text(ref, column)
  end

  -- ---- Paths

  local FAR, walked = 2000, 0
  function rule_paths.went_far()
    return walked >= FAR
  end

  local PAIR = '{"className":"'
  local BEYOND = { names = {}, count = 1 / 0 } -- more objects than a path may come to

  -- Adds what the text of a column names, one or a list of pairs. Returns how many that may be.
  local function add_names(names, text)
    if string.sub(text, 1, 1) ~= '[' then
      names[text] = true
      return 0
    end
    local at, count = string.find(text, PAIR, 1, true), 0
    while at do
      local behind = string.find(text, PAIR, at + 1, true)
      names[string.sub(text, at, (behind or #text + 1) - 2)] = true
      at, count = behind, count + 1
    end
    return count
  end

  -- Adds whom an object at the end of the path names. Returns how many that may be.
  local function add_end(names, path, ref)
    if not next(path.ends) then
      names[pair_text(ref)] = true
      return 0
    end
    local columns, count = path.ends[class_and_id(ref)], 0
    for i = 1, columns and #columns or 0 do
      local text = text_of(ref, columns[i])
      count = count + (text and add_names(names, text) or 0)
    end
    return count
  end

  -- What a step leads to from an object; more than `most` need not be told.
  local next_of = {}

  next_of['>'] = function(step, ref)
    local found = {}
    for _, column in ipairs(step.columns[class_and_id(ref)] or {}) do
      rule_reads(ref, column)
      each_ref(refs_of(ref, column), function(target)
        table.insert(found, target)
      end)
    end
    return found
  end

  next_of['<'] = function(step, ref, most)
    local found = {}
    for class, columns in pairs(step.columns) do
      for _, column in ipairs(columns) do
        rule_reads(ref, '<' .. class .. '\t' .. column)
        local from, to = references_range(column, class)
        for _, entry in ipairs(redis.call('ZRANGEBYLEX', object_key(ref, ':r'), from, to, 'LIMIT', 0,
          most + 1)) do
          table.insert(found, string.sub(entry, #column + 2))
        end
      end
    end
    return found
  end

  -- Whom the path names that goes on from an object, and how many objects it comes to. Objects that it
  -- comes to from several others are looked at once in a script.
  local reach

  -- There are most of them at the end, which are not kept one by one.
  local function gather_end(path, refs)
    local names, count = {}, #refs
    for i = 1, count <= path.most and #refs or 0 do
      walked = walked + 1
      count = count + add_end(names, path, refs[i])
    end
    return { names = names, count = count }
  end

  local function gather(path, at, refs)
    if not path.steps[at] then
      return gather_end(path, refs)
    elseif #refs == 1 then
      local found = reach(path, at, refs[1])
      return { names = found.names, count = found.count + 1 }
    end
    local names, count = {}, #refs
    for _, ref in ipairs(refs) do
      local found = count <= path.most and reach(path, at, ref) or BEYOND
      count = count + found.count
      for name in pairs(found.names) do
        names[name] = true
      end
    end
    return { names = names, count = count }
  end

  function reach(path, at, ref)
    local known = path.known[at]
    if not known[ref] then
      walked = walked + 1
      local step = path.steps[at]
      local found = gather(path, at + 1, next_of[step.way](step, ref, path.most))
      known[ref] = found.count <= path.most and found or BEYOND
    end
    return known[ref]
  end

  local function leads_to(found, path, sid)
    local person = person_of(sid)
    return found.count <= path.most
      and (found.names[person.id] or person.me and found.names[person.me]) ~= nil
  end

  -- ---- Texts of rules

  -- class -> list of columns
  local function columns_of(text)
    local columns = {}
    for class, column in string.gmatch(text, '([^,=]+)=([^,]+)') do
      columns[class] = columns[class] or {}
      table.insert(columns[class], column)
    end
    return columns
  end

  local function path_of(text, most)
    local path = { most = most, steps = {}, known = { {} } }
    for way, list in string.gmatch(text, '([<>=])([^;]*)') do
      if way == '=' then
        path.ends = columns_of(list)
      else
        table.insert(path.steps, { way = way, columns = columns_of(list) })
        table.insert(path.known, {})
      end
    end
    return path
  end

  local parsed = {} -- text -> alternatives, paths last
  function rule_paths.look_anew()
    parsed = {}
  end

  local function alternatives_of(rule)
    if not parsed[rule] then
      local list, paths = {}, {}
      local most, words = string.match(rule, '^(%d*)!?(.*)$')
      for word in string.gmatch(words, '[^|]+') do
        local kind, rest = string.match(word, '^(%a+):?(.*)$')
        if kind == 'path' then
          table.insert(paths, { kind = kind, path = path_of(rest, tonumber(most)) })
        else
          table.insert(list, { kind = kind, of = rest })
        end
      end
      for _, path in ipairs(paths) do
        table.insert(list, path)
      end
      parsed[rule] = list
    end
    return parsed[rule]
  end

  -- ---- What alternatives ask for; of an object that is there, or of one that is to be made

  local holds = {}

  function holds.everyone()
    return true
  end

  function holds.signedIn(_, sid)
    return not is_anonymous(sid)
  end

  function holds.nobody()
    return false
  end

  function holds.role(alternative, sid)
    return has_role(sid, alternative.of)
  end

  function holds.owner(alternative, sid, object)
    local text = object.text(alternative.of)
    return text and names_user(sid, text) or false
  end

  function holds.path(alternative, sid, object)
    return leads_to(object.reach(alternative.path), alternative.path, sid)
  end

  local function is_let(sid, rule, object)
    for _, alternative in ipairs(alternatives_of(rule)) do
      if holds[alternative.kind](alternative, sid, object) then
        return true
      end
    end
    return false
  end

  function rule_allows(sid, rule, ref)
    if rule == 'signedIn' then -- by far the most common
      return not is_anonymous(sid)
    end
    return is_let(sid, rule, {
      text = function(column)
        return ref and text_of(ref, column)
      end,
      reach = function(path)
        return ref and reach(path, 1, ref) or BEYOND
      end,
    })
  end

  -- Nothing refers to what is not there yet.
  function rule_allows_new(sid, rule, class, values)
    local function refs_among(columns)
      local refs = {}
      for i = 1, #values, 3 do
        for _, column in ipairs(columns) do
          if values[i] == column then
            each_ref(values[i + 2], function(target)
              table.insert(refs, target)
            end)
          end
        end
      end
      return refs
    end
    return is_let(sid, rule, {
      text = text_among(values),
      reach = function(path)
        local step = path.steps[1]
        return gather(path, 2, step.way == '>' and refs_among(step.columns[class] or {}) or {})
      end,
    })
  end
end
