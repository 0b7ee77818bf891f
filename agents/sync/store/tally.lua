-- Figures for monitoring: some pages of the books (design section 9, "Books"), and what there is to be done.
-- Arguments: now, the first page, how many.
-- Returns the next page (0: that was the last); made, acknowledged, superseded, ended on these pages; how
-- many jobs, sessions, sessions that are told in blocks, users, calls and values are due; how many jobs,
-- calls, gateways and idle sessions there are; whether receipts are late (1).
local now, page, most = arg_number(), arg_number(), arg_number()
local behind = math.min(page + most, BOOK_PAGES)

local made, acknowledged, superseded, ended = 0, 0, 0, 0
while page < behind do
  local books = redis.call('HMGET', book_page(page), 'made', 'acknowledged', 'superseded', 'ended')
  made, acknowledged = made + (books[1] or 0), acknowledged + (books[2] or 0)
  superseded, ended = superseded + (books[3] or 0), ended + (books[4] or 0)
  page = page + 1
end

local due, all = {}, {}
for i, list in ipairs({ 'jobs', 'due', 'blocks', 'online', 'processes', 'values' }) do
  due[i] = redis.call('ZCOUNT', list, '-inf', now)
end
for i, list in ipairs({ 'jobs', 'processes', 'gateways', 'idle' }) do
  all[i] = redis.call('ZCARD', list)
end
return { page % BOOK_PAGES, made, acknowledged, superseded, ended, due[1], due[2], due[3], due[4], due[5],
  due[6], all[1], all[2], all[3], all[4], redis.call('EXISTS', 'receipts:late') }
