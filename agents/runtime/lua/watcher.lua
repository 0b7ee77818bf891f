-- Watched values (agents/sync/watchers/watchers.h): whoever changes an object has the values touched that
-- were made of what it has changed. The commit only looks whether there are such, and leaves the rest to a
-- job (watch_touch.lua). Where the model has no watchers, which is what the argument behind those of the
-- children says, it does not even look.
--
--   {o:<ref>}:dw   "<what>\n<item>": the value depends on a column of the object; on "<<class>\t<column>",
--                  what of that class refers to it by that column; on ".", all of its fields; or on "@",
--                  whether it is there
--
-- An object that comes or goes touches all that depends on anything of it. What depends on the roles of a
-- user does so as on the column "roles" of user_ref().

local watchers = { refresh = function() end }

if arg() == '1' then
  local changed, order = {}, {} -- ref -> what of it; false: nothing depends on anything of it

  -- What of it has changed so far; false if nobody minds, which most writes pay for once.
  local function changed_of(ref)
    local of_it = changed[ref]
    if of_it == nil then
      of_it = redis.call('EXISTS', object_key(ref, ':dw')) == 1 and {}
      changed[ref] = of_it
      if of_it then
        table.insert(order, ref)
      end
    end
    return of_it
  end

  local function note(ref, what)
    local of_it = changed_of(ref)
    if of_it then
      of_it[what] = true
    end
  end

  local field_before, reference_before = field_changed, reference_changed
  function field_changed(ref, field)
    note(ref, field)
    if field_before then
      field_before(ref, field)
    end
  end

  function reference_changed(ref, field, target)
    local of_it = changed_of(target)
    if of_it then
      of_it['<' .. class_and_id(ref) .. '\t' .. field] = true
    end
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

  -- The job that touches what depends on all that. Its functions are made only when they are needed.
  local function order_touches(lease)
    local job = nil
    local function push(ref, what)
      if not job then
        job = tostring(redis.call('INCR', 'j:next'))
        redis.call('HSET', job_key(job), 'type', 'touch')
        redis.call('ZADD', 'jobs', lease, job)
        table.insert(jobs, '~' .. job)
      end
      redis.call('RPUSH', job_key(job) .. ':q', ref .. '\n' .. what)
    end

    local function push_if_any(ref, what)
      if redis.call('ZLEXCOUNT', object_key(ref, ':dw'), '[' .. what .. '\n', '(' .. what .. '\v') > 0 then
        push(ref, what)
      end
    end

    local function push_dependents(ref)
      if changed[ref]['*'] then
        return push(ref, '*')
      end
      local has_field = false
      for what in pairs(changed[ref]) do
        has_field = has_field or string.sub(what, 1, 1) ~= '<'
        push_if_any(ref, what)
      end
      if has_field then
        push_if_any(ref, '.')
      end
    end

    for _, ref in ipairs(order) do
      push_dependents(ref)
    end
  end

  -- The end of every script that changes objects.
  function watchers.refresh(lease)
    if order[1] then
      order_touches(lease)
    end
  end
end
