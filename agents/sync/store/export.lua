-- One step through the objects of one class, those of its descendants left out, in the order of
-- their ids, bounded by objects and by bytes. It asks nobody for rights: it is the operator's.
-- Arguments: class, whether ids are numbers (1 or 0), the member behind which to go on ("": from the
-- first), how many to look at, how many bytes.
-- Returns list of id, fields; the member behind which to go on, "" at the end.
local class, numeric, last, most, bytes = arg(), arg() == '1', arg(), arg_number(), arg_number()
local list = class_key(class, ':ids')

local rank = last == '' and 0 or rank_behind(list, last, numeric)
local members = redis.call('ZRANGE', list, rank, rank + most - 1)
local found = {}
for _, member in ipairs(members) do
  if bytes <= 0 then
    return { found, last }
  end
  last = member
  local id, actual = string.match(member, '^(.*)\n(.*)$')
  if actual == class then
    local fields = redis.call('HGETALL', object_key(class .. ':' .. id))
    for _, text in ipairs(fields) do
      bytes = bytes - #text
    end
    table.insert(found, id)
    table.insert(found, fields)
  end
end
return { found, #members == most and last or '' }
