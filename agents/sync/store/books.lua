-- Some pages of the books, each beside a recount of the same moment (design section 9, "Books").
-- Arguments: the first page; the step ends after a page with which it has looked at so many things.
-- Returns the next page (0: that was the last), made, acknowledged, superseded, ended, and how many marks
-- there are.
local page, most = arg_number(), arg_number()

local made, acknowledged, superseded, ended, counted, looked_at = 0, 0, 0, 0, 0, 0
while page < BOOK_PAGES and looked_at < most do
  local books = redis.call('HMGET', book_page(page), 'made', 'acknowledged', 'superseded', 'ended')
  made, acknowledged = made + (books[1] or 0), acknowledged + (books[2] or 0)
  superseded, ended = superseded + (books[3] or 0), ended + (books[4] or 0)
  local sids = redis.call('SMEMBERS', book_page(page, ':m'))
  for _, sid in ipairs(sids) do
    counted = counted + redis.call('HLEN', session_key(sid, ':m'))
  end
  looked_at = looked_at + 1 + #sids
  page = page + 1
end
return { page % BOOK_PAGES, made, acknowledged, superseded, ended, counted }
