-- The own classes of objects that were named by parents of these; of each, the first that has the id
-- counts, as for reads.
-- Arguments, to the end: id, list of classes. Returns for each the class, "" if none of them has it.
local function own_class(id, classes)
  for _, class in ipairs(classes) do
    if is_live(class .. ':' .. id) then
      return class
    end
  end
  return ''
end

local found = {}
while taken < #ARGV do
  table.insert(found, own_class(arg(), arg_list()))
end
return found
