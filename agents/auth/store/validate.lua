-- "validateUserByToken" (spec 3.9): is this the user's token on this client?
-- Arguments: token hash, user, client, now.
-- Returns 1 | 0.
local hash, user, client, now = arg(), arg(), arg(), arg()

local token = token_good(hash, now)
return token and token.user == user and token.client == client and 1 or 0
