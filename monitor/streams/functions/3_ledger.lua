-- Deliveries. Per target a lane: `lane:` holds what waits (score: due), `flight:` what is leased (score: end of lease).
-- `lanes` says of each target when something can next be claimed. `holds` keeps a whole target back.
-- Every function gets the key of `lanes` and builds the names of its neighbours, which share its slot: which deliveries
-- are due is known only here. `turn` counts claims and records of a delivery, and fences.

local FINAL = { delivered = true, dead = true, dropped = true }

local function base_of(keys)
  return string.sub(keys[1], 1, -#'lanes' - 1)
end

local function first_score(key)
  return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2])
end

-- Says in `lanes` when the lane's next event is; a lane with all its flights out waits for the first to end.
local function place(base, target)
  local at = first_score(base .. 'flight:' .. target)
  if redis.call('ZCARD', base .. 'flight:' .. target) < IN_FLIGHT then
    local waiting = first_score(base .. 'lane:' .. target)
    at = at and waiting and math.min(at, waiting) or at or waiting
  end
  if not at then
    redis.call('ZREM', base .. 'lanes', target)
    return
  end
  local hold = tonumber(redis.call('HGET', base .. 'holds', target)) or 0
  redis.call('ZADD', base .. 'lanes', string.format('%.0f', math.max(at, hold)), target)
end

-- Wakes deliverers that block on the bell; a few rings are kept, for several that go to sleep just now.
local function ring(base)
  redis.call('LPUSH', base .. 'bell', '1')
  redis.call('LTRIM', base .. 'bell', 0, 7)
end

local function change_state(base, id, before, after)
  redis.call('ZREM', base .. 'index:' .. before, id)
  redis.call('ZADD', base .. 'index:' .. after, redis.call('HGET', base .. 'delivery:' .. id, 'created'), id)
  redis.call('HSET', base .. 'delivery:' .. id, 'state', after)
end

-- keys: lanes, told now, told before. args: article, target, due, created, alert, then rule and told-hash by turns,
-- in the order of rule ids. Answers the id, or nothing.
local function enqueue(keys, args)
  local base = base_of(keys)
  local article, target, due, created, alert = unpack(args, 1, 5)
  local said, accepted = { article }, {}
  for i = 6, #args, 2 do
    local told = redis.call('SISMEMBER', keys[3], args[i + 1]) == 1
    if not told and redis.call('SADD', keys[2], args[i + 1]) == 1 then
      said[#said + 1] = args[i]
      accepted[#accepted + 1] = (i - 6) / 2
    end
  end
  if #accepted == 0 then
    return false
  end
  redis.call('EXPIRE', keys[2], TOLD_SECONDS)
  said[#said + 1] = target
  local id = string.sub(redis.sha1hex(table.concat(said, '\0')), 1, 26)
  local key = base .. 'delivery:' .. id
  if redis.call('EXISTS', key) == 1 then
    return false
  end
  redis.call('HSET', key, 'target', target, 'alert', alert, 'accepted', table.concat(accepted, ','),
    'state', 'pending', 'attempts', 0, 'turn', 0, 'created', created, 'due', due, 'reason', '', 'detail', '')
  redis.call('ZADD', base .. 'index:pending', created, id)
  redis.call('ZADD', base .. 'lane:' .. target, due, id)
  place(base, target)
  ring(base)
  return id
end

local function lease(base, target, id, lease_end)
  local key = base .. 'delivery:' .. id
  redis.call('ZREM', base .. 'lane:' .. target, id)
  redis.call('ZADD', base .. 'flight:' .. target, lease_end, id)
  change_state(base, id, redis.call('HGET', key, 'state'), 'leased')
  redis.call('HINCRBY', key, 'attempts', 1)
  redis.call('HINCRBY', key, 'turn', 1)
  return { id, redis.call('HGETALL', key) }
end

-- args: now, end of the lease, limit. A flight whose lease ran out keeps its place until it is claimed again here,
-- because its send may still be under way.
local function claim_deliveries(keys, args)
  local base = base_of(keys)
  local now, lease_end, limit = args[1], args[2], tonumber(args[3])
  local leases = {}
  for _, target in ipairs(redis.call('ZRANGE', keys[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
    local room = limit - #leases
    local flight, lane = base .. 'flight:' .. target, base .. 'lane:' .. target
    local stale = redis.call('ZRANGE', flight, '-inf', now, 'BYSCORE', 'LIMIT', 0, room)
    local free = math.min(room - #stale, IN_FLIGHT - redis.call('ZCARD', flight))
    local waiting = redis.call('ZRANGE', lane, '-inf', now, 'BYSCORE', 'LIMIT', 0, math.max(free, 0))
    for _, id in ipairs(stale) do
      leases[#leases + 1] = lease(base, target, id, lease_end)
    end
    for _, id in ipairs(waiting) do
      leases[#leases + 1] = lease(base, target, id, lease_end)
    end
    place(base, target)
  end
  return leases
end

-- args: id, turn, attempt or '', state, due or '', reason, detail, hold until or ''. The attempt is kept even when the lease
-- was lost, and once only when the call is repeated.
local function record_delivery(keys, args)
  local base = base_of(keys)
  local id, turn, attempt, state, due, reason, detail, hold = unpack(args)
  local key, attempts = base .. 'delivery:' .. id, base .. 'attempts:' .. id
  local now_state, now_turn, target = unpack(redis.call('HMGET', key, 'state', 'turn', 'target'))
  if not now_state then
    return 0
  end
  if attempt ~= '' and not redis.call('LPOS', attempts, attempt) then
    redis.call('RPUSH', attempts, attempt)
    redis.call('LTRIM', attempts, -ATTEMPTS_KEPT, -1)
  end
  if now_state ~= 'leased' or now_turn ~= turn then
    return 0
  end
  redis.call('ZREM', base .. 'flight:' .. target, id)
  redis.call('HINCRBY', key, 'turn', 1)
  redis.call('HSET', key, 'reason', reason, 'detail', detail)
  change_state(base, id, 'leased', state)
  if due ~= '' then
    redis.call('HSET', key, 'due', due)
  end
  if state == 'retry' then
    redis.call('ZADD', base .. 'lane:' .. target, redis.call('HGET', key, 'due'), id)
  end
  local held = tonumber(redis.call('HGET', base .. 'holds', target)) or 0
  if hold ~= '' and tonumber(hold) > held then
    redis.call('HSET', base .. 'holds', target, hold)
  end
  place(base, target)
  if redis.call('EXISTS', base .. 'lane:' .. target) == 1 then
    ring(base)
  end
  return 1
end

local function replay(keys, args)
  local base = base_of(keys)
  local id, now = unpack(args)
  local key = base .. 'delivery:' .. id
  local state, target = unpack(redis.call('HMGET', key, 'state', 'target'))
  if not FINAL[state] then
    return 0
  end
  change_state(base, id, state, 'pending')
  redis.call('HSET', key, 'attempts', 0, 'due', now, 'reason', '', 'detail', '')
  redis.call('ZADD', base .. 'lane:' .. target, now, id)
  place(base, target)
  ring(base)
  return 1
end

-- args: state, instant, limit. Deletes finished deliveries that were created before.
local function forget(keys, args)
  local base = base_of(keys)
  local index = base .. 'index:' .. args[1]
  local ids = redis.call('ZRANGE', index, '-inf', args[2], 'BYSCORE', 'LIMIT', 0, args[3])
  for _, id in ipairs(ids) do
    redis.call('DEL', base .. 'delivery:' .. id, base .. 'attempts:' .. id)
    redis.call('ZREM', index, id)
  end
  return #ids
end

redis.register_function { function_name = 'monitor_enqueue', callback = enqueue, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_claim_deliveries', callback = claim_deliveries, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_record_delivery', callback = record_delivery, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_replay', callback = replay, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_forget', callback = forget, flags = { 'allow-oom' } }
