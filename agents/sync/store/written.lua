-- Behind the arguments of write.lua: the one object that a write is about, and who may do that to it.
local lineage, id, rule = arg_lineage(), arg(), arg()
local class = lineage.names[1]
