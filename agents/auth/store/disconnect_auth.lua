-- "disconnectAuth" (spec 3.9): the client has logged out, its tokens end.
-- Arguments: client.
-- Returns 1 if there was one | 0.
local client = arg()

local ended = 0
for _, hash in ipairs(redis.call('ZRANGE', tokens_of_client(client), 0, -1)) do
  local token = token_read(hash)
  if token then
    token_delete(hash, token)
    ended = 1
  end
end
return ended
