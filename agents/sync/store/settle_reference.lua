-- "settleReferences", one object that an import has referred to before it was there: if it is not there
-- in the end, a job follows the references to it, as if it had just been removed (spec 5.6).
-- Arguments: ref, now, lease until.
-- Returns "" | the job.
local ref, now, lease = arg(), arg(), arg()
if is_live(ref) then
  return { '' }
end
cascade_follow(ref, now, lease)
return { cascade }
