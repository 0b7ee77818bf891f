-- Rules along paths (design section 12): whoever changes what such a rule looks at, at another object than the
-- one that it is about, has all those looked at anew of which it may decide who reads them. The commit only
-- notes what has changed and leaves the rest to a job (review_paths.lua), whose name is in `jobs` behind "^".
-- Arguments, behind the one of watcher.lua: list of what such rules look at, as model_rule_inputs() has it.

local path_inputs = arg_list()

if path_inputs[1] then
  local is_input, noted, order = {}, {}, {}
  for _, input in ipairs(path_inputs) do
    is_input[input] = true
  end

  local function note(ref, what)
    local entry = ref .. '\n' .. what
    if not noted[entry] then
      noted[entry] = true
      table.insert(order, entry)
    end
  end

  local field_before, reference_before = field_changed, reference_changed
  function field_changed(ref, field)
    if is_input[class_and_id(ref) .. '\n' .. field] then
      note(ref, field)
    end
    if field_before then
      field_before(ref, field)
    end
  end

  function reference_changed(ref, field, target)
    local class = class_and_id(ref)
    if is_input['<' .. class .. '\n' .. field] then
      note(target, '<' .. class .. '\t' .. field)
    end
    if reference_before then
      reference_before(ref, field, target)
    end
  end

  local refresh_before = watchers.refresh
  function watchers.refresh(lease)
    refresh_before(lease)
    if order[1] then
      local job = tostring(redis.call('INCR', 'j:next'))
      redis.call('HSET', job_key(job), 'type', 'paths')
      redis.call('ZADD', 'jobs', lease, job)
      for _, entry in ipairs(order) do
        redis.call('RPUSH', job_key(job) .. ':q', entry)
      end
      table.insert(jobs, '^' .. job)
      order = {}
    end
  end
end
