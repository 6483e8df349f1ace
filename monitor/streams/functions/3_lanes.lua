-- Lanes. Per target: `lane:` holds what waits (score: due, or its number if the target is told in order), `flight:` what
-- is leased (score: end of lease).
-- `lanes` says when something can next be done: of each target when something can be claimed, and of each group of held
-- deliveries (whose name begins with a NUL) when it is released. `holds` keeps a whole target back, and `paces` says until
-- when its rate is used up.
-- Every function gets the key of `lanes` and builds the names of its neighbours, which share its slot: which deliveries
-- are due is known only here.

local GROUPS_AT_ONCE = 20
local PASSED_OVER = 500 -- lanes of slow targets that a claim looks at and leaves

local function base_of(keys)
  return string.sub(keys[1], 1, -#'lanes' - 1)
end

local function whole(number)
  return string.format('%.0f', number)
end

local function first_score(key)
  return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2])
end

-- How a target wants its deliveries: milliseconds between two, how many in flight, how many may wait before they are
-- folded into digests (0: any number), how many one digest may tell, whether in order.
local function terms_of(base, target)
  local gap, flights, most, folded, ordered =
    string.match(redis.call('HGET', base .. 'terms', target) or '', '^(%d+),(%d+),(%d+),(%d+),(%d)$')
  return tonumber(gap) or 0, tonumber(flights) or IN_FLIGHT, tonumber(most) or 0, tonumber(folded) or FOLDED_AT_ONCE,
    ordered == '1'
end

-- What may go at once is a second's worth of the rate, or one. `paces` has when all that went would have gone one by one.
local function allowance(gap)
  return math.max(0, BURST_MS - gap)
end

local function pace_of(base, target)
  return tonumber(redis.call('HGET', base .. 'paces', target)) or 0
end

-- When the first of a lane is due: of those in order the one with the lowest number, whatever else is due before.
local function first_due(base, target, ordered)
  local id, score = unpack(redis.call('ZRANGE', base .. 'lane:' .. target, 0, 0, 'WITHSCORES'))
  return tonumber(id and ordered and redis.call('HGET', base .. 'delivery:' .. id, 'due') or score)
end

local function line_up(base, target, id, ordered)
  local due, seq = unpack(redis.call('HMGET', base .. 'delivery:' .. id, 'due', 'seq'))
  redis.call('ZADD', base .. 'lane:' .. target, ordered and seq or due, id)
end

local function status_of(base, target)
  return redis.call('HGET', base .. 'health:' .. target, 'status') or 'active'
end

-- A lane with all its flights out waits for the first to end; nothing goes to a target that is disabled.
local function place(base, target)
  local status = status_of(base, target)
  local gap, flights, _, _, ordered = terms_of(base, target)
  if status == 'open' or ordered then
    flights = 1
  end
  local at = first_score(base .. 'flight:' .. target)
  if redis.call('ZCARD', base .. 'flight:' .. target) < flights then
    local waiting = first_due(base, target, ordered)
    at = at and waiting and math.min(at, waiting) or at or waiting
  end
  if not at or status == 'disabled' then
    redis.call('ZREM', base .. 'lanes', target)
    return
  end
  local hold = tonumber(redis.call('HGET', base .. 'holds', target)) or 0
  if gap > 0 then
    hold = math.max(hold, pace_of(base, target) - allowance(gap))
  end
  redis.call('ZADD', base .. 'lanes', whole(math.max(at, hold)), target)
end

local function hold_lane(base, target, until_)
  local held = tonumber(redis.call('HGET', base .. 'holds', target)) or 0
  if until_ > held then
    redis.call('HSET', base .. 'holds', target, whole(until_))
  end
end

-- Wakes deliverers that block on the bell; a few rings are kept, for several that go to sleep just now.
local function ring(base)
  redis.call('LPUSH', base .. 'bell', '1')
  redis.call('LTRIM', base .. 'bell', 0, 7)
end

-- Remembers when a delivery died: a dead letter is kept for so long from then on, not from when it was made.
local function change_state(base, id, before, after, now)
  local key = base .. 'delivery:' .. id
  redis.call('ZREM', base .. 'index:' .. before, id)
  redis.call('ZADD', base .. 'index:' .. after, redis.call('HGET', key, 'created'), id)
  redis.call('HSET', key, 'state', after)
  if before == 'dead' then
    redis.call('ZREM', base .. 'died', id)
  end
  if after == 'dead' then
    redis.call('ZADD', base .. 'died', now, id)
  end
end

-- Sends a delivery on its way. One that is replayed keeps its number, so that it says the same again.
local function admit(base, target, id, due)
  local key = base .. 'delivery:' .. id
  redis.call('HSET', key, 'due', due, 'since', due)
  if redis.call('HEXISTS', key, 'seq') == 0 then
    redis.call('HSET', key, 'seq', redis.call('HINCRBY', base .. 'seqs', target, 1))
  end
  line_up(base, target, id, select(5, terms_of(base, target)))
end

-- Makes one digest of several deliveries, in this order, and sends it on its way. What the digest says is copied, so
-- that it outlives them. The instant is in its id, because after a replay the same can be folded again.
local function fold(base, target, ids, now, because, detail)
  local id = string.sub(redis.sha1hex(now .. '\0' .. table.concat(ids, '\0')), 1, 26)
  local said = base .. 'said:' .. id
  for _, one in ipairs(ids) do
    local key = base .. 'delivery:' .. one
    local state, accepted, alert = unpack(redis.call('HMGET', key, 'state', 'accepted', 'alert'))
    if alert then
      redis.call('RPUSH', said, accepted, alert)
    else
      redis.call('RPUSH', said, unpack(redis.call('LRANGE', base .. 'said:' .. one, 0, -1)))
    end
    redis.call('ZREM', base .. 'lane:' .. target, one)
    redis.call('HSET', key, 'detail', id)
    change_state(base, one, state, 'folded')
  end
  redis.call('HSET', base .. 'delivery:' .. id, 'target', target, 'state', 'pending', 'attempts', 0, 'turn', 0,
    'created', now, 'reason', '', 'detail', '', 'because', because, 'because_of', detail)
  redis.call('ZADD', base .. 'index:pending', now, id)
  admit(base, target, id, now)
  return id
end

-- Keeps a delivery back until its group is released; the first of a group sets when that is. `closed` are times, in order,
-- in which it is not, each as `from,until;`: it is then at their end.
local function keep_back(base, target, id, created, group, until_, interval, closed)
  local member = '\0' .. target .. '\0' .. group
  local released = tonumber(redis.call('GET', base .. 'released:' .. member))
  if released then
    until_ = math.max(until_, released + interval)
    for from, to in string.gmatch(closed, '(%d+),(%d+);') do
      if until_ >= tonumber(from) and until_ < tonumber(to) then
        until_ = tonumber(to)
      end
    end
    until_ = whole(until_)
  end
  redis.call('ZADD', base .. 'held:' .. member, created, id)
  redis.call('ZADD', base .. 'lanes', 'NX', until_, member)
  redis.call('HSET', base .. 'delivery:' .. id, 'due', whole(redis.call('ZSCORE', base .. 'lanes', member)))
end

local function release(base, member, now)
  local target = string.match(member, '^%z([^%z]*)')
  local held = base .. 'held:' .. member
  local _, _, _, folded = terms_of(base, target)
  local ids = redis.call('ZRANGE', held, 0, folded - 1)
  redis.call('ZREM', base .. 'lanes', member)
  if #ids == 0 then
    return
  end
  redis.call('ZREM', held, unpack(ids))
  local because, detail, interval =
    unpack(redis.call('HMGET', base .. 'delivery:' .. ids[1], 'because', 'because_of', 'interval'))
  if tonumber(interval) > 0 then
    redis.call('SET', base .. 'released:' .. member, now, 'PX', interval)
  end
  if #ids == 1 then
    change_state(base, ids[1], 'held', 'pending')
    admit(base, target, ids[1], now)
  else
    fold(base, target, ids, now, because, detail)
  end
  if redis.call('EXISTS', held) == 1 then
    redis.call('ZADD', base .. 'lanes', now, member)
  end
  place(base, target)
end

local function lease(base, target, id, lease_end)
  local key = base .. 'delivery:' .. id
  redis.call('ZREM', base .. 'lane:' .. target, id)
  redis.call('ZADD', base .. 'flight:' .. target, lease_end, id)
  change_state(base, id, redis.call('HGET', key, 'state'), 'leased')
  redis.call('HINCRBY', key, 'attempts', 1)
  redis.call('HINCRBY', key, 'turn', 1)
  return {
    id,
    redis.call('HGETALL', key),
    redis.call('LRANGE', base .. 'said:' .. id, 0, -1),
    redis.call('HGET', base .. 'health:' .. target, 'health'),
  }
end

-- Folds what waits in a lane if it is more than the target wants one by one. What was tried already goes by itself, so
-- that nothing is repeated under another id; so does a digest, so that none outgrows its bound.
local function coalesce(base, target, now, most, folded)
  local lane, untried = base .. 'lane:' .. target, {}
  for _, id in ipairs(redis.call('ZRANGE', lane, '-inf', now, 'BYSCORE', 'LIMIT', 0, math.max(most + 1, folded))) do
    local attempts, alert = unpack(redis.call('HMGET', base .. 'delivery:' .. id, 'attempts', 'alert'))
    if attempts == '0' and alert then
      untried[#untried + 1] = id
    end
  end
  if #untried > most then
    fold(base, target, { unpack(untried, 1, folded) }, whole(now), 'catch_up', '')
  end
end

-- What is due in a lane, so many of it.
local function ripe_in(base, target, now, count, ordered)
  local lane = base .. 'lane:' .. target
  if count <= 0 then
    return {}
  elseif ordered then
    local due = first_due(base, target, true)
    return due and due <= now and redis.call('ZRANGE', lane, 0, 0) or {}
  end
  return redis.call('ZRANGE', lane, '-inf', now, 'BYSCORE', 'LIMIT', 0, count)
end

-- Leases what is due in one lane. A flight whose lease ran out keeps its place until it is claimed again here, because its
-- send may still be under way.
local function claim_lane(base, target, now, lease_end, room, leases)
  local flight = base .. 'flight:' .. target
  local gap, flights, most, folded, ordered = terms_of(base, target)
  if status_of(base, target) == 'open' or ordered then
    flights = 1
  end
  if most > 0 and not ordered then
    coalesce(base, target, now, most, folded)
  end
  local used = math.max(now, pace_of(base, target))
  if gap > 0 then
    room = math.min(room, math.max(0, math.floor((now + allowance(gap) - used) / gap) + 1))
  end
  local stale = redis.call('ZRANGE', flight, '-inf', now, 'BYSCORE', 'LIMIT', 0, room)
  local free = math.min(room - #stale, flights - redis.call('ZCARD', flight))
  local waiting = ripe_in(base, target, now, free, ordered)
  for _, ids in ipairs({ stale, waiting }) do
    for _, id in ipairs(ids) do
      leases[#leases + 1] = lease(base, target, id, lease_end)
    end
  end
  if gap > 0 then
    redis.call('HSET', base .. 'paces', target, whole(used + gap * (#stale + #waiting)))
  end
  place(base, target)
end

-- Releases the groups that are ripe, and answers the targets that are.
local function ripe_targets(base, lanes, now, limit)
  local function ripe()
    return redis.call('ZRANGE', lanes, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit + PASSED_OVER)
  end
  local names, released, targets = ripe(), 0, {}
  for _, name in ipairs(names) do
    if string.sub(name, 1, 1) == '\0' and released < GROUPS_AT_ONCE then
      release(base, name, whole(now))
      released = released + 1
    end
  end
  for _, name in ipairs(released > 0 and ripe() or names) do
    if string.sub(name, 1, 1) ~= '\0' then
      targets[#targets + 1] = name
    end
  end
  return targets
end

-- Claims in one partition. `room` says how many in all, and how many of those may be of slow targets; it is used up.
-- Slow lanes that found no room stay due.
local function claim_part(lanes, now, lease_end, limit, room, leases)
  local base = base_of({ lanes })
  local first = #leases
  for _, target in ipairs(ripe_targets(base, lanes, now, limit)) do
    local before = #leases
    local slow = redis.call('HGET', base .. 'health:' .. target, 'slow') == '1'
    local free = first + limit - before
    if slow then
      free = math.min(free, room.slow)
    end
    if free > 0 then
      claim_lane(base, target, now, lease_end, free, leases)
      room.slow = slow and room.slow - (#leases - before) or room.slow
    end
    if #leases - first >= limit then
      break
    end
  end
  return #leases - first
end

-- keys: lanes of partitions. args: now, end of the lease, limit, how many of those may be of slow targets. Answers when
-- something can next be done in any of the partitions, or '', and the leases. What is most overdue comes first, and every
-- partition that is ripe has its share before one has more.
local function claim_deliveries(keys, args)
  local now, lease_end, limit, room = tonumber(args[1]), args[2], tonumber(args[3]), { slow = tonumber(args[4]) }
  local ripe, leases = {}, {}
  for _, lanes in ipairs(keys) do
    local at = first_score(lanes)
    if at and at <= now then
      ripe[#ripe + 1] = { at, lanes }
    end
  end
  table.sort(ripe, function(one, other)
    return one[1] < other[1] or (one[1] == other[1] and one[2] < other[2])
  end)
  while #ripe > 0 and #leases < limit do
    local again = {}
    for i, part in ipairs(ripe) do
      local share = math.ceil((limit - #leases) / (#ripe - i + 1))
      if share > 0 and claim_part(part[2], now, lease_end, share, room, leases) == share then
        again[#again + 1] = part
      end
    end
    ripe = again
  end
  local next_at
  for _, lanes in ipairs(keys) do
    local at = first_score(lanes)
    next_at = at and math.min(next_at or at, at) or next_at
  end
  return { next_at and whole(next_at) or '', leases }
end

redis.register_function { function_name = 'monitor_claim_deliveries', callback = claim_deliveries, flags = { 'allow-oom' } }
