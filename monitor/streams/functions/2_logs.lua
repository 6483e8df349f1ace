-- The hops. XACK comes first and is the compare-and-swap: it answers 0 when the entry was finished before, by whomever,
-- so a repeated call, a lost reply and two consumers with one entry all end in nothing.
-- All are allow-oom: when memory is full, what is downstream must drain.

local function finish(stream, group, id)
  if redis.call('XACK', stream, group, id) == 0 then
    return false
  end
  redis.call('XDEL', stream, id)
  return true
end

-- keys: articles, matches, archive, missed. args: group, id, matched, how many may wait for the archive, record.
local function forward(keys, args)
  local group, id, matched, limit, record = unpack(args)
  if not finish(keys[1], group, id) then
    return 0
  end
  if matched ~= '' then
    redis.call('XADD', keys[2], '*', 'd', matched)
  end
  keep(keys[3], keys[4], limit, record)
  return 1
end

-- keys: log, archive, missed. args: group, id, how many may wait for the archive, record.
local function done(keys, args)
  local group, id, limit, record = unpack(args)
  if not finish(keys[1], group, id) then
    return 0
  end
  keep(keys[2], keys[3], limit, record)
  return 1
end

-- keys: log. args: group, ids...
local function finish_all(keys, args)
  local count = 0
  for i = 2, #args do
    count = count + (finish(keys[1], args[1], args[i]) and 1 or 0)
  end
  return count
end

local function data_of(entry)
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'd' then
      return entry[2][i + 1]
    end
  end
  return false
end

-- The bytes are taken from the stream, so that what cannot be decoded is kept as it came.
local function bury(keys, args)
  local group, id, log, why = unpack(args)
  local entry = redis.call('XRANGE', keys[1], id, id)[1]
  if not finish(keys[1], group, id) then
    return 0
  end
  local data = entry and data_of(entry) or ''
  redis.call('XADD', keys[2], '*', 'log', log, 'id', id, 'why', why, 'd', data)
  return 1
end

-- Takes over entries that any consumer has held for too long: cursor, {id, data, times handed out}..., number lost.
local function adopt(keys, args)
  local group, consumer, min_idle, cursor, count = unpack(args)
  local reply = redis.call('XAUTOCLAIM', keys[1], group, consumer, min_idle, cursor, 'COUNT', count)
  local entries = {}
  for i, entry in ipairs(reply[2]) do
    local pending = redis.call('XPENDING', keys[1], group, entry[1], entry[1], 1)
    entries[i] = { entry[1], data_of(entry), pending[1][4] }
  end
  return { reply[1], entries, #reply[3] }
end

-- Takes up what one consumer held when it stopped, be it an earlier life of this one; answers as `adopt`.
local function resume(keys, args)
  local group, from, consumer, start, count = unpack(args)
  local pending = redis.call('XPENDING', keys[1], group, start, '+', count, from)
  if #pending == 0 then
    return { '0-0', {}, 0 }
  end
  local ids, times = {}, {}
  for i, held in ipairs(pending) do
    ids[i] = held[1]
    times[held[1]] = held[4] + 1
  end
  local entries = {}
  for i, entry in ipairs(redis.call('XCLAIM', keys[1], group, consumer, 0, unpack(ids))) do
    entries[i] = { entry[1], data_of(entry), times[entry[1]] }
  end
  return { '(' .. ids[#ids], entries, #ids - #entries }
end

-- Always at 0: what was appended before the first consumer came is read too. One that exists is left alone.
local function make_group(keys, args)
  local reply = redis.pcall('XGROUP', 'CREATE', keys[1], args[1], '0', 'MKSTREAM')
  return reply.err and 0 or 1
end

redis.register_function { function_name = 'monitor_make_group', callback = make_group, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_forward', callback = forward, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_done', callback = done, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_finish', callback = finish_all, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_bury', callback = bury, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_adopt', callback = adopt, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_resume', callback = resume, flags = { 'allow-oom' } }
