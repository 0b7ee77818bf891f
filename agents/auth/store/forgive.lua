-- An attempt has succeeded: the account's failures are forgotten, the address's are what they were.
-- Arguments: account, address ("": unknown). Returns 1.
local account, address = arg(), arg()

if account ~= '' then
  redis.call('DEL', '{f:' .. account .. '}')
end
local key = '{f:' .. address .. '}'
if address ~= '' and tonumber(redis.call('GET', key) or 0) > 0 then
  redis.call('DECR', key)
end
return 1
