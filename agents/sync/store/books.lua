-- The books beside a recount, of one moment (design section 9, "Books").
-- Returns made, acknowledged, superseded, ended, and how many marks there are.
local books = redis.call('HMGET', 'books', 'made', 'acknowledged', 'superseded', 'ended')
local counted = 0
for _, sid in ipairs(redis.call('SMEMBERS', 'marked')) do
  counted = counted + redis.call('HLEN', session_key(sid, ':m'))
end
return { books[1] or '0', books[2] or '0', books[3] or '0', books[4] or '0', counted }
