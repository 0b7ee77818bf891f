-- "reconnect" of the content protocol: binds the session to which the token belongs. It is told nothing until
-- its answer has gone out, and then at once what it has missed (notify.lua).
-- Arguments: client, gateway, address, "", device, token hash, dialect, 0, now, when it was accepted (return.lua).
-- Returns refused, why | ok, session, earlier client and gateway if they have to go (else ""), user,
--         until when it is told nothing.
local ANSWER_MS = 5000 -- within which the answer is expected to go out

local quiet = string.format('%d', now + ANSWER_MS)
redis.call('HSET', session_key(sid), 'quiet', quiet)
due_refresh(sid, session_read(sid))
return { 'ok', sid, went[1] or '', went[2] or '', user, quiet }
