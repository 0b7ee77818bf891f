-- One step of a computation. Whatever is read is registered in the same step, so that a change of it, even
-- one that comes before the computation is over, touches the value.
-- Arguments: item, run, lease until, session with whose rights it is read ("": it needs none), restricted
-- classes, how much is read at most, where a text counts for each KiB of it; then, to the end, what is read:
--   out, ref, column                what the object refers to by the column
--   in, ref, class, column, after   what of this class refers to it by the column, behind that one ("": all)
--   see, ref, list of columns       the texts of these
-- Returns gone | ok, then for each that was read, which are not all when that was much: false where the
-- session may not see the object or the column; out: refs, newline-separated; in: list of refs, the one
-- behind which to go on ("": that was all); see: list of texts, "" where there is none that it may see; false
-- where the object is gone.
local item, run, lease, sid = arg(), arg(), arg(), arg()
local restricted, left = arg_restricted(), arg_number()

if redis.call('EXISTS', object_key(item)) == 0 then
  return { 'gone' }
end
redis.call('ZADD', 'values', 'XX', 'GT', lease, item)

-- What rules look at is read, too.
function rule_reads(ref, what)
  depend(item, run, ref, what)
end

local function is_readable(ref)
  return sid == '' or may_read(sid, ref, restricted)
end

local function is_seen(ref, column)
  return sid == '' or may_see(sid, ref, column, restricted)
end

local reads = {}

function reads.out()
  local ref, column = arg(), arg()
  left = left - 1
  if not is_readable(ref) or not is_seen(ref, column) then
    return false
  end
  depend(item, run, ref, column)
  local refs = refs_of(ref, column)
  local _, count = string.gsub(refs, '[^\n]+', '')
  left = left - count
  return refs
end

reads['in'] = function()
  local ref, class, column, after = arg(), arg(), arg(), arg()
  local asked = left
  left = left - 1
  if not is_readable(ref) then
    return false
  end
  depend(item, run, ref, '<' .. class .. '\t' .. column)
  local from, to = references_range(column, class)
  if after ~= '' then
    from = '(' .. column .. '\n' .. after
  end
  local entries = redis.call('ZRANGEBYLEX', object_key(ref, ':r'), from, to, 'LIMIT', 0, asked)
  local refs, last = {}, ''
  for i, entry in ipairs(entries) do
    local from_ref = string.sub(entry, #column + 2)
    last = i == asked and from_ref or ''
    if is_seen(from_ref, column) then
      table.insert(refs, from_ref)
    end
  end
  left = left - #entries
  return { refs, last }
end

function reads.see()
  local ref, columns = arg(), arg_list()
  left = left - 1 - #columns
  if not is_readable(ref) then
    return false
  end
  depend(item, run, ref, '@')
  local texts = {}
  for i, column in ipairs(columns) do
    depend(item, run, ref, column)
    texts[i] = is_seen(ref, column) and field_text(ref, column) or ''
    left = left - math.floor(#texts[i] / 1024)
  end
  return is_live(ref) and texts
end

local found = { 'ok' }
while left > 0 and taken < #ARGV do
  table.insert(found, reads[arg()]())
end
return found
