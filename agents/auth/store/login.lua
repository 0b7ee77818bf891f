-- "authenticate" (spec 8.6) once the provider has verified the account: finds or makes the user and
-- the user's Person, and issues the token. One for each user and client, and for each user and device.
-- Arguments: what children.c writes of the Person's class, and touches.c; provider, account, id if the user
-- is new, first name, last name, email, list of identifiers, roles (",editor,reviewer,"; "": none), hash of
-- the password that was right at the basic provider ("": at another one), token hash, token's id, client,
-- device, name of the request ("": none), now, expires, and for the Person: whether there is to be one, id (""
-- asks for the next integer), field of the user's id, lineage, list of field, text, refs, indexes.
-- Returns refused | ambiguous | ok, row of the token.
local provider, account, user, first_name, last_name, email = arg(), arg(), arg(), arg(), arg(), arg()
local identifiers, roles, verified = arg_list(), arg(), arg()
local hash, token_id, client, device, request, now, expires =
  arg(), arg(), arg(), arg(), arg(), arg(), arg()
local has_person = arg() == '1'

-- A password that was changed meanwhile lets nobody in any more, nor does an account that has gone.
if verified ~= '' and redis.call('HGET', account_key(account), 'hash') ~= verified then
  return { 'refused' }
end
local account_name = provider .. ':' .. account
local known = redis.call('GET', account_user_key(account_name)) or identifiers_user(identifiers)
if known == false then
  return { 'ambiguous' }
elseif known and is_disabled(known) then
  return { 'refused' }
end
if known then
  user = known
else
  user_make(user, first_name, last_name, email, now)
end
account_give(user, account_name)
identifiers_give(user, identifiers)
redis.call('HSET', user_key(user), 'login', now)
roles_given(user, provider, roles)
roles_refresh(user, now)

local function make_person()
  local id, field, lineage, values = arg(), arg(), arg_lineage(), arg_list()
  local indexes = arg_indexes()
  local class = lineage.names[1]
  for _, part in ipairs({ field, '"' .. user .. '"', '' }) do
    table.insert(values, part)
  end
  -- Unique indexes of the class have the user's id among their fields (person.c), so whoever has
  -- the place already is the user's.
  local conflict, other = index_conflict(nil, indexes, nil, text_among(values))
  if conflict then
    id, class = string.match(other, '^(.*)\n(.*)$')
  else
    if id == '' then
      id = object_next_id(lineage)
    end
    local ref = object_create(lineage, id, now, values, indexes)
    history_add(lineage, ref, tonumber(now), nil)
    fan_out(ref, 'u', 1, lineage, '', 1, now) -- a sync agent takes it: it is due
    children.refresh('', 1, now, now)
  end
  redis.call('HSET', user_key(user), 'anchor', id, 'me', pair_text(class .. ':' .. id))
end
if has_person and redis.call('HEXISTS', user_key(user), 'anchor') == 0 then
  make_person()
end
if provider == 'anonymous' then
  redis.call('HSET', user_key(user), 'anonymous', 1)
end
watchers.refresh(now)

tokens_delete(tokens_of_client(client), user, hash, request)
if device ~= '' then
  tokens_delete(tokens_of_device(user, device), user, hash, request)
end
local token = { id = token_id, user = user, client = client, device = device, request = request,
  created = now, modified = now, login = now, expires = expires, generation = generation_of(user) }
token_write(hash, token, now)
return token_row(token)
