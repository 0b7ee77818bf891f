-- An attempt to log in begins. It counts as failed until forgive.lua takes that back, so that guesses made all
-- at once count, too. Counts end by themselves some time after their first attempt.
--
--   {f:<what>}      failed attempts on an account, or from an address
--
-- Arguments: seconds, list of what counts and of how many there may be, in turn.
-- Returns many | ok.
local seconds, counted = arg(), arg_list()

local function key(what)
  return '{f:' .. what .. '}'
end

for i = 1, #counted, 2 do
  if tonumber(redis.call('GET', key(counted[i])) or 0) >= tonumber(counted[i + 1]) then
    return 'many'
  end
end
for i = 1, #counted, 2 do
  if redis.call('INCR', key(counted[i])) == 1 then
    redis.call('EXPIRE', key(counted[i]), seconds)
  end
end
return 'ok'
