-- What the store says before its model changes.
-- Arguments: digest of the model that shall be, agents that were last heard of before this are gone,
-- list of classes.
-- Returns the applied model; list of built indexes; list of agents with another model; list of numbers
-- of objects, also of descendants.
local digest, since, classes = arg(), arg_number(), arg_list()

local counts = {}
for i, class in ipairs(classes) do
  counts[i] = redis.call('ZCARD', class_key(class, ':ids'))
end
return { redis.call('HGET', 'model', 'applied') or '', redis.call('SMEMBERS', 'model:built'),
  agents_with_another(digest, since), counts }
