-- All logins of a user end but that of one session. Arguments: user, session, now. Returns 1.
local user, kept, now = arg(), arg(), arg()

user_revoke(user, kept, now)
return 1
