-- How far a migration is.
-- Arguments: job, at most so many examples of duplicates for each index.
-- Returns gone | ok, has ended (1 or 0), objects done, objects in all, the agent that spoiled it or "",
-- list of index, number of duplicates, list of some of them as they are listed.
local id, most = arg(), arg_number()

local job = redis.call('HMGET', job_key(id), 'done', 'total', 'ended', 'spoiled', 'broken')
if not job[1] then
  return { 'gone' }
end
local broken = {}
for index in string.gmatch(job[5] or '', '[^\n]+') do
  local duplicates = job_key(id) .. ':' .. index
  table.insert(broken, index)
  table.insert(broken, redis.call('SCARD', duplicates))
  table.insert(broken, redis.call('SRANDMEMBER', duplicates, most))
end
return { 'ok', job[3] or '0', job[1], job[2], job[4] or '', broken }
