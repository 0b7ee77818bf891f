-- A session does not watch a value any more, of which it was never told.
-- Arguments: session, item.
local sid, item = arg(), arg()
unwatch(sid, item)
return { 'ok' }
