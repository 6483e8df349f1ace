-- Deliveries. `turn` counts claims and records of a delivery, and fences.

local FINAL = { delivered = true, dead = true, dropped = true, folded = true }

-- Whether one more goes at once, of the `free` that a target may have until the window ends.
local function is_free(base, target, until_, free)
  local window, used = string.match(redis.call('HGET', base .. 'used', target) or '', '^(%d+),(%d+)$')
  used = window == until_ and tonumber(used) or 0
  if used >= tonumber(free) then
    return false
  end
  redis.call('HSET', base .. 'used', target, until_ .. ',' .. (used + 1))
  return true
end

-- keys: lanes, told now, told before. args: article, target, due, created, alert; of a hold the group, reason, detail,
-- instant, interval, how many are free of it and when it is closed, all '' without one; of its surplus the group, reason,
-- detail, instant and how many are free of it, or ''; then rule and told-hash by turns, in the order of rule ids. Answers
-- the id, or nothing.
local function enqueue(keys, args)
  local base = base_of(keys)
  local article, target, due, created, alert = unpack(args, 1, 5)
  local group, because, detail, until_, interval, free, closed = unpack(args, 6, 12)
  local said, accepted = { article }, {}
  local surplus, because_surplus, surplus_detail, surplus_until, surplus_free = unpack(args, 13, 17)
  for i = 18, #args, 2 do
    local told = redis.call('SISMEMBER', keys[3], args[i + 1]) == 1
    if not told and redis.call('SADD', keys[2], args[i + 1]) == 1 then
      said[#said + 1] = args[i]
      accepted[#accepted + 1] = (i - 18) / 2
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
  local held = because ~= '' and not is_free(base, target, until_, free)
  local begins = held and redis.call('EXISTS', base .. 'held:\0' .. target .. '\0' .. group) == 0
  if begins and surplus ~= '' and not is_free(base, target, surplus_until, surplus_free) then
    group, because, detail, until_, interval, closed =
      surplus, because_surplus, surplus_detail, surplus_until, '0', ''
  end
  local state = held and 'held' or 'pending'
  redis.call('HSET', key, 'target', target, 'alert', alert, 'accepted', table.concat(accepted, ','), 'state', state,
    'attempts', 0, 'turn', 0, 'created', created, 'due', due, 'reason', '', 'detail', '')
  redis.call('ZADD', base .. 'index:' .. state, created, id)
  if held then
    redis.call('HSET', key, 'because', because, 'because_of', detail, 'interval', interval)
    keep_back(base, target, id, created, group, until_, interval, closed)
  else
    admit(base, target, id, due)
    place(lane_of(base, target))
  end
  ring(base)
  return id
end

-- What came of one lease: id, turn, attempt or '', state, due or '', reason, detail, hold until or '', now. The attempt is
-- kept even when the lease was lost, and once only when the call is repeated: the call that found its lease held ended it.
-- `part` gathers what is done at the end.
local function record_one(part, id, turn, attempt, state, due, reason, detail, hold, now)
  local base = part.base
  local key, attempts = base .. 'delivery:' .. id, base .. 'attempts:' .. id
  local before, its_turn, target, created = unpack(redis.call('HMGET', key, 'state', 'turn', 'target', 'created'))
  if not before then
    return 0
  end
  local held = before == 'leased' and its_turn == turn
  if attempt ~= '' and (held or not redis.call('LPOS', attempts, attempt)) then
    if redis.call('RPUSH', attempts, attempt) > ATTEMPTS_KEPT then
      redis.call('LTRIM', attempts, -ATTEMPTS_KEPT, -1)
    end
  end
  if not held then
    return 0
  end
  local lane = part.lanes[target] or lane_of(base, target)
  part.lanes[target] = lane
  redis.call('ZREM', lane.flying, id)
  redis.call('HSET', key, 'state', state, 'turn', whole(turn + 1), 'reason', reason, 'detail', detail)
  move(part.moves, id, before, state, created)
  if state == 'dead' then
    redis.call('ZADD', base .. 'died', now, id)
  end
  if due ~= '' then
    redis.call('HSET', key, 'due', due)
  end
  if state == 'retry' then
    line_up(base, target, id, lane.ordered)
  end
  if hold ~= '' then
    hold_lane(lane, tonumber(hold))
  end
  return 1
end

-- keys: the lanes of each. args: nine words for each. Answers for each whether its lease was still held.
local function record_deliveries(keys, args)
  local held, parts = {}, {}
  for i, lanes in ipairs(keys) do
    local part = parts[lanes] or { base = base_of({ lanes }), lanes = {}, moves = new_moves() }
    parts[lanes] = part
    held[i] = record_one(part, unpack(args, 9 * i - 8, 9 * i))
  end
  for _, part in pairs(parts) do
    tell_indexes(part.base, part.moves)
    local waiting = false
    for _, lane in pairs(part.lanes) do
      waiting = place(lane) or waiting
    end
    if waiting then
      ring(part.base)
    end
  end
  return held
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
  redis.call('HSET', key, 'attempts', 0, 'reason', '', 'detail', '')
  admit(base, target, id, now)
  place(lane_of(base, target))
  ring(base)
  return 1
end

-- args: state, instant, limit. Deletes finished deliveries that were made before, or dead ones that died before.
local function forget(keys, args)
  local base = base_of(keys)
  local state, before, limit = unpack(args)
  local index, died = base .. 'index:' .. state, base .. 'died'
  local ids = redis.call('ZRANGE', state == 'dead' and died or index, '-inf', before, 'BYSCORE', 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do
    redis.call('DEL', base .. 'delivery:' .. id, base .. 'attempts:' .. id, base .. 'said:' .. id)
    redis.call('ZREM', index, id)
    redis.call('ZREM', died, id)
  end
  return #ids
end

-- args: state, instant, now, reason, detail, limit. Gives up what has waited since before, be its target disabled or not
-- looked after by anybody.
local function expire(keys, args)
  local base = base_of(keys)
  local state, before, now, reason, detail, limit = unpack(args)
  local count = 0
  for _, id in ipairs(redis.call('ZRANGE', base .. 'index:' .. state, '-inf', before, 'BYSCORE', 'LIMIT', 0, limit)) do
    local key = base .. 'delivery:' .. id
    local target, since = unpack(redis.call('HMGET', key, 'target', 'since'))
    if tonumber(since) <= tonumber(before) then
      redis.call('ZREM', base .. 'lane:' .. target, id)
      redis.call('HSET', key, 'reason', reason, 'detail', detail)
      change_state(base, id, state, 'dead', now)
      place(lane_of(base, target))
      count = count + 1
    end
  end
  return count
end

-- args: target, version before, health, version, status, slow, hold until, 0 to end every hold, or ''. Answers 0 when the
-- health has changed meanwhile; then nothing happens.
local function set_health(keys, args)
  local base = base_of(keys)
  local target, before, health, version, status, slow, hold = unpack(args)
  local key = base .. 'health:' .. target
  if (redis.call('HGET', key, 'version') or '0') ~= before then
    return 0
  end
  redis.call('HSET', key, 'health', health, 'version', version, 'status', status, 'slow', slow)
  if hold == '0' then
    redis.call('HDEL', key, 'hold')
  end
  local lane = lane_of(base, target)
  hold_lane(lane, tonumber(hold) or 0)
  place(lane)
  ring(base)
  return 1
end

-- args: target and terms by turns. What waits for one that is told in order from now on, or no longer, is lined up anew.
local function arrange(keys, args)
  local base = base_of(keys)
  for i = 1, #args, 2 do
    local target = args[i]
    local before = select(5, terms_of(base, target))
    redis.call('HSET', base .. 'health:' .. target, 'terms', args[i + 1])
    local ordered = select(5, read_terms(args[i + 1]))
    if ordered ~= before then
      for _, id in ipairs(redis.call('ZRANGE', base .. 'lane:' .. target, 0, -1)) do
        line_up(base, target, id, ordered)
      end
    end
    place(lane_of(base, target))
  end
  ring(base)
  return 1
end

redis.register_function { function_name = 'monitor_enqueue', callback = enqueue, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_record_deliveries', callback = record_deliveries, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_replay', callback = replay, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_forget', callback = forget, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_expire', callback = expire, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_set_health', callback = set_health, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_arrange', callback = arrange, flags = { 'allow-oom' } }
