-- The class of an object that was named by one of its parents; the first that has the id counts, as
-- for reads.
-- Arguments: id, list of classes. Returns the class, "" if none of them has it.
local id, classes = arg(), arg_list()

for _, class in ipairs(classes) do
  if is_live(class .. ':' .. id) then
    return class
  end
end
return ''
