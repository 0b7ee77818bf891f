-- Accounts of the basic provider: a hash under the user name, and its email, in small letters, leads
-- to it. User names have no colon, so the two kinds of key never meet.

local function account_key(name)
  return '{b:' .. name .. '}'
end

local function email_key(email)
  return '{b:email:' .. string.lower(email) .. '}'
end
