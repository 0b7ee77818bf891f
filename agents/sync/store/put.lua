-- "putObject" and the commit of "patch_content".
-- Arguments: those of written.lua, put time, then a list of field, text, refs, and the indexes, and the
--   guards of what is put; the state that this is a change of, as "<version> <birth>" ("": whichever there
--   is); whether the writer is told like everybody else (1 or 0); limits of earlier texts.
-- Returns client | again, sid, outcome | forbidden | guarded, sid, field | missing | conflict |
--         reference, sid, ref | full, sid, field | unique, sid, index | stale | same, sid, state |
--         ok, sid, state, jobs, cascade. state: "<version> <birth><view>", in the view that the writer has
--         of it then; version 0: some fields were stale, or it sees other ones than before, so that the state
--         which the writer holds for true from the answer on, the first time and later, has never been. A
--         conflict is not kept, since the request may be tried again.
local time = math.min(arg_number(), accepted)
local list, indexes, guards = arg_list(), arg_indexes(), arg_list()
local expected, tells_writer, earlier_limits = arg(), arg() == '1', arg_earlier_limits()
local ref = class .. ':' .. id

local version, birth, created = object_state(ref)
if not version then
  return finish('missing')
end
if not allowed(sid, rule, ref) then
  return finish('forbidden')
end
if expected ~= '' and expected ~= version .. ' ' .. birth then
  return { 'conflict', sid }
end

-- What the writer is told; what it may see may change with what it has written.
local function state(of_version)
  return of_version .. ' ' .. birth .. view_of(sid, ref, restricted)
end

local guarded = guarded_put(sid, ref, guards, list)
if guarded then
  return finish('guarded', guarded)
end
local put, refusal, said = put_begin(ref, created, list, time, expected ~= '')
if not put then
  return finish(refusal, said)
end
if #put.taken == 0 then
  return finish(put.stale and 'stale' or 'same', state(version))
end
local conflict = index_conflict(ref, indexes, put.changed, put_text_of(put))
if conflict then
  return finish('unique', conflict.name)
end

local version_now, sees_the_same = with_sight(ref, function()
  return put_apply(put, lineage, indexes, sid, accepted, earlier_limits)
end)
local is_known = sees_the_same and not put.stale
local complete = (is_known and not tells_writer) and 1 or 0
fan_out(ref, 'u', version_now, lineage, sid, complete, lease)
return finish_changed(state(is_known and version_now or 0), complete)
