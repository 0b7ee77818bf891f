-- "reauthenticate" (spec 8.3): the token is bound to another client. It does not live longer by that.
-- Arguments: token hash, client, device, now.
-- Returns refused | ok, row of the token.
local hash, client, device, now = arg(), arg(), arg(), arg()

local token = token_good(hash, now)
if not token or not token_is_of(token, device) then
  return { 'refused' }
end
tokens_delete(tokens_of_client(client), token.user, hash, '')
token_unlist(hash, token)
token.client, token.login, token.modified = client, now, now
token_write(hash, token, now)
return token_row(token)
