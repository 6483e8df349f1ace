-- Records that people create. Per kind: the records, when each changed last (removed ones too), when each expires, which
-- were removed and when, who holds what has to be unique, and what each holds. All kinds share a slot and `versions`.

local function unpack_registry(keys)
  local versions, records, changes, expiry, removed, holders, held = unpack(keys)
  return {
    versions = versions, records = records, changes = changes, expiry = expiry,
    removed = removed, holders = holders, held = held,
  }
end

local function version_of(at, id)
  return redis.call('HEXISTS', at.records, id) == 1 and redis.call('ZSCORE', at.changes, id) or '0'
end

local function let_go(at, id)
  local unique = redis.call('HGET', at.held, id)
  if unique then
    redis.call('HDEL', at.holders, unique)
    redis.call('HDEL', at.held, id)
  end
end

local function is_same(at, id, value, expires_at, unique)
  return redis.call('HGET', at.records, id) == value
    and (redis.call('ZSCORE', at.expiry, id) or '') == expires_at
    and (redis.call('HGET', at.held, id) or '') == unique
end

local function put_record(at, kind, id, value, expires_at, expected, unique)
  local version = version_of(at, id)
  if expected ~= '' and expected ~= version then
    return { 'changed', version, '' }
  end
  local holder = unique ~= '' and redis.call('HGET', at.holders, unique)
  if holder and holder ~= id then
    return { 'taken', version, holder }
  end
  if is_same(at, id, value, expires_at, unique) then
    return { '', version, '' }
  end
  let_go(at, id)
  if unique ~= '' then
    redis.call('HSET', at.holders, unique, id)
    redis.call('HSET', at.held, id, unique)
  end
  redis.call('HSET', at.records, id, value)
  redis.call('ZREM', at.removed, id)
  if expires_at == '' then
    redis.call('ZREM', at.expiry, id)
  else
    redis.call('ZADD', at.expiry, expires_at, id)
  end
  local new = redis.call('HINCRBY', at.versions, kind, 1)
  redis.call('ZADD', at.changes, new, id)
  return { '', new, '' }
end

-- args: kind, then for each record id, value, expiry or '', expected version or '', what has to be unique or ''.
local function put_records(keys, args)
  local at, answers = unpack_registry(keys), {}
  for i = 2, #args, 5 do
    answers[#answers + 1] = put_record(at, args[1], unpack(args, i, i + 4))
  end
  return answers
end

local function drop(at, kind, id, now)
  let_go(at, id)
  redis.call('HDEL', at.records, id)
  redis.call('ZREM', at.expiry, id)
  redis.call('ZADD', at.changes, redis.call('HINCRBY', at.versions, kind, 1), id)
  redis.call('ZADD', at.removed, now, id)
end

-- args: kind, id, now, expected version or ''.
local function remove_record(keys, args)
  local at, kind, id, now, expected = unpack_registry(keys), unpack(args)
  local version = version_of(at, id)
  if version == '0' or (expected ~= '' and expected ~= version) then
    return 0
  end
  drop(at, kind, id, now)
  return 1
end

-- args: id.
local function get_record(keys, args)
  local at, id = unpack_registry(keys), args[1]
  return {
    redis.call('HGET', at.records, id), redis.call('ZSCORE', at.changes, id), redis.call('ZSCORE', at.expiry, id),
  }
end

-- args: kind, since, limit. Answers the version of the kind, up to which removals are forgotten, and what changed.
local function registry_changes(keys, args)
  local at, kind, since, limit = unpack_registry(keys), unpack(args)
  local listed = redis.call(
    'ZRANGE', at.changes, '(' .. since, '+inf', 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES'
  )
  local found = {}
  for i = 1, #listed, 2 do
    local id = listed[i]
    found[#found + 1] = {
      id, listed[i + 1], redis.call('HGET', at.records, id), redis.call('ZSCORE', at.expiry, id),
    }
  end
  return {
    redis.call('HGET', at.versions, kind) or '0',
    redis.call('HGET', at.versions, kind .. ':forgotten') or '0',
    found,
  }
end

-- args: kind, now, removed before, limit. Removes what has expired, then forgets what was removed long ago.
local function tidy_registry(keys, args)
  local at, kind, now, before, limit = unpack_registry(keys), unpack(args)
  local expired = redis.call('ZRANGE', at.expiry, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)
  for _, id in ipairs(expired) do
    drop(at, kind, id, now)
  end
  local long_gone = redis.call('ZRANGE', at.removed, '-inf', before, 'BYSCORE', 'LIMIT', 0, limit)
  local forgotten = tonumber(redis.call('HGET', at.versions, kind .. ':forgotten') or 0)
  for _, id in ipairs(long_gone) do
    forgotten = math.max(forgotten, tonumber(redis.call('ZSCORE', at.changes, id)))
    redis.call('ZREM', at.changes, id)
    redis.call('ZREM', at.removed, id)
  end
  if #long_gone > 0 then
    redis.call('HSET', at.versions, kind .. ':forgotten', forgotten)
  end
  return { #expired, #long_gone }
end

redis.register_function('monitor_registry_put', put_records)
redis.register_function { function_name = 'monitor_registry_remove', callback = remove_record, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_registry_get', callback = get_record, flags = { 'no-writes' } }
redis.register_function { function_name = 'monitor_registry_changes', callback = registry_changes, flags = { 'no-writes' } }
redis.register_function { function_name = 'monitor_registry_tidy', callback = tidy_registry, flags = { 'allow-oom' } }
