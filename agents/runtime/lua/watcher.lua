-- Watched values (agents/sync/watchers/watchers.h): whoever changes an object has the values touched that
-- were made of what it has changed. The commit only looks whether there are such, and leaves the rest to a
-- job (watch_touch.lua). Where the model has no watchers, which is what the argument behind those of the
-- children says, it does not even look.
--
--   {o:<ref>}:dw   "<what>\n<item>": the value depends on a column of the object; on "<<class>\t<column>",
--                  what of that class refers to it by that column; on ".", all of its fields; or on "@",
--                  whether it is there
--
-- An object that comes or goes touches all that depends on anything of it.

local watchers = { refresh = function() end }

if arg() == '1' then
  local changed, order = {}, {} -- ref -> what of it

  local function note(ref, what)
    if not changed[ref] then
      changed[ref] = {}
      table.insert(order, ref)
    end
    changed[ref][what] = true
  end

  local field_before, reference_before = field_changed, reference_changed
  function field_changed(ref, field)
    note(ref, field)
    if field_before then
      field_before(ref, field)
    end
  end

  function reference_changed(ref, field, target)
    note(target, '<' .. class_and_id(ref) .. '\t' .. field)
    if reference_before then
      reference_before(ref, field, target)
    end
  end

  local born_before, gone_before = object_born, object_gone
  function object_born(ref)
    note(ref, '*')
    if born_before then
      born_before(ref)
    end
  end

  function object_gone(ref)
    note(ref, '*')
    if gone_before then
      gone_before(ref)
    end
  end

  local function has_dependents(ref, what)
    return #redis.call('ZRANGEBYLEX', object_key(ref, ':dw'), '[' .. what .. '\n', '(' .. what .. '\v',
      'LIMIT', 0, 1) > 0
  end

  -- The job that touches; nil as long as there is none.
  local job = nil
  local function push(ref, what, lease)
    if not job then
      job = tostring(redis.call('INCR', 'j:next'))
      redis.call('HSET', job_key(job), 'type', 'touch')
      redis.call('ZADD', 'jobs', lease, job)
      table.insert(jobs, '~' .. job)
    end
    redis.call('RPUSH', job_key(job) .. ':q', ref .. '\n' .. what)
  end

  local function push_dependents(ref, lease)
    if changed[ref]['*'] then
      return push(ref, '*', lease)
    end
    local has_field = false
    for what in pairs(changed[ref]) do
      has_field = has_field or string.sub(what, 1, 1) ~= '<'
      if has_dependents(ref, what) then
        push(ref, what, lease)
      end
    end
    if has_field and has_dependents(ref, '.') then
      push(ref, '.', lease)
    end
  end

  -- The end of every script that changes objects.
  function watchers.refresh(lease)
    for _, ref in ipairs(order) do
      if redis.call('EXISTS', object_key(ref, ':dw')) == 1 then
        push_dependents(ref, lease)
      end
    end
  end
end
