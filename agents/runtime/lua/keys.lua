-- Keys and arguments: the first part of every script. Values of the domain are texts here; no
-- script decodes one, so no number is rounded and no empty array turns into an object.

local function session_key(sid, part)
  return '{s:' .. sid .. '}' .. (part or '')
end

-- An object's ref is "class:id".
local function object_key(ref, part)
  return '{o:' .. ref .. '}' .. (part or '')
end

local function class_and_id(ref)
  return string.match(ref, '^([^:]*):(.*)$')
end

local function class_key(class, part)
  return '{k:' .. class .. '}' .. part
end

local function user_key(user, part)
  return '{u:' .. user .. '}' .. (part or '')
end

-- A user's place among the refs of objects, for what may depend on either. No class is called so.
local function user_ref(user)
  return '@user:' .. user
end

local function job_key(id)
  return '{j:' .. id .. '}'
end

-- Arguments are taken one after the other; a list is its length and its items.
local taken = 0

local function arg()
  taken = taken + 1
  return ARGV[taken]
end

local function arg_number()
  return tonumber(arg())
end

local function arg_list()
  local list = {}
  for i = 1, arg_number() do
    list[i] = arg()
  end
  return list
end
