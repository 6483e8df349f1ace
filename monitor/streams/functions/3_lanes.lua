-- Lanes. Per target: `lane:` holds what waits (score: due, or its number if the target is told in order), `flight:` what
-- is leased (score: end of lease).
-- `lanes` says when something can next be done: of each target when something can be claimed, and of each group of held
-- deliveries (whose name begins with a NUL) when it is released. `health:` is all that is known of a target: `hold` keeps it
-- back as a whole, `pace` says until when its rate is used up, and `terms` how it wants its deliveries.
-- Every function gets the key of `lanes` and builds the names of its neighbours, which share its slot: which deliveries
-- are due is known only here.

local GROUPS_AT_ONCE = 20
local RINGS_KEPT = 8
local WORDS_AT_ONCE = 1000 -- an even number: scores and members go in pairs
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
local function read_terms(terms)
  local gap, flights, most, folded, ordered = string.match(terms or '', '^(%d+),(%d+),(%d+),(%d+),(%d)$')
  return tonumber(gap) or 0, tonumber(flights) or IN_FLIGHT, tonumber(most) or 0, tonumber(folded) or FOLDED_AT_ONCE,
    ordered == '1'
end

local function terms_of(base, target)
  return read_terms(redis.call('HGET', base .. 'health:' .. target, 'terms'))
end

-- What may go at once is a second's worth of the rate, or one. `pace` is when all that went would have gone one by one.
local function allowance(gap)
  return math.max(0, BURST_MS - gap)
end

-- A lane: what its target wants, and how that is doing.
local function lane_of(base, target)
  local known = base .. 'health:' .. target
  local status, slow, health, terms, hold, pace =
    unpack(redis.call('HMGET', known, 'status', 'slow', 'health', 'terms', 'hold', 'pace'))
  local gap, flights, most, folded, ordered = read_terms(terms)
  if status == 'open' or ordered then
    flights = 1
  end
  return {
    base = base,
    target = target,
    known = known,
    waiting = base .. 'lane:' .. target,
    flying = base .. 'flight:' .. target,
    disabled = status == 'disabled',
    slow = slow == '1',
    health = health,
    hold = tonumber(hold) or 0,
    pace = tonumber(pace) or 0,
    gap = gap,
    flights = flights,
    most = most,
    folded = folded,
    ordered = ordered,
  }
end

-- When the first of a lane is due, and which that is: of those in order the one with the lowest number, whatever else is
-- due before.
local function first_due(lane)
  local id, score = unpack(redis.call('ZRANGE', lane.waiting, 0, 0, 'WITHSCORES'))
  return tonumber(id and lane.ordered and redis.call('HGET', lane.base .. 'delivery:' .. id, 'due') or score), id
end

local function line_up(base, target, id, ordered)
  local due, seq = unpack(redis.call('HMGET', base .. 'delivery:' .. id, 'due', 'seq'))
  redis.call('ZADD', base .. 'lane:' .. target, ordered and seq or due, id)
end

local function earlier(one, other)
  return one and other and math.min(one, other) or one or other
end

-- Says in `lanes` that something can be claimed at that time; nothing goes to a target that is disabled.
local function set_next(lane, at)
  local lanes = lane.base .. 'lanes'
  if not at or lane.disabled then
    redis.call('ZREM', lanes, lane.target)
    return
  end
  local hold = lane.gap > 0 and math.max(lane.hold, lane.pace - allowance(lane.gap)) or lane.hold
  redis.call('ZADD', lanes, whole(math.max(at, hold)), lane.target)
end

-- Says when something can next be claimed of a lane: one with all its flights out waits for the first to end. Answers
-- whether anything could go.
local function place(lane)
  local flying = redis.call('ZRANGE', lane.flying, 0, lane.flights - 1, 'WITHSCORES')
  local waiting = #flying < 2 * lane.flights and first_due(lane) or nil
  set_next(lane, earlier(tonumber(flying[2]), waiting))
  return waiting ~= nil
end

local function hold_lane(lane, until_)
  if until_ > lane.hold then
    lane.hold = until_
    redis.call('HSET', lane.known, 'hold', whole(until_))
  end
end

-- Wakes deliverers that block on the bell; a few rings are kept, for several that go to sleep just now.
local function ring(base)
  if redis.call('LLEN', base .. 'bell') < RINGS_KEPT then
    redis.call('LPUSH', base .. 'bell', '1')
  end
end

-- Deliveries of a partition that change their state in one call, by the state they had and by the one they get; the
-- indexes are told of all together.
local function new_moves()
  return { from = {}, to = {} }
end

local function move(moves, id, before, after, created)
  local from, to = moves.from[before] or {}, moves.to[after] or {}
  from[#from + 1] = id
  to[#to + 1] = created
  to[#to + 1] = id
  moves.from[before], moves.to[after] = from, to
end

-- Calls a command with many words, in parts that Lua's stack has room for.
local function in_parts(command, key, words)
  for i = 1, #words, WORDS_AT_ONCE do
    redis.call(command, key, unpack(words, i, math.min(i + WORDS_AT_ONCE - 1, #words)))
  end
end

local function tell_indexes(base, moves)
  for state, ids in pairs(moves.from) do
    in_parts('ZREM', base .. 'index:' .. state, ids)
  end
  for state, scored in pairs(moves.to) do
    in_parts('ZADD', base .. 'index:' .. state, scored)
  end
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
  place(lane_of(base, target))
end

-- Takes a delivery out of the hands of whoever had it: its values as they then are, what a digest says, and the health.
local function lease(lane, id, moves)
  local key = lane.base .. 'delivery:' .. id
  local values = redis.call('HMGET', key, unpack(DELIVERY_FIELDS))
  local before, attempts, turn, created, _, accepted = unpack(values, 1, 6)
  attempts, turn = whole(attempts + 1), whole(turn + 1)
  redis.call('HSET', key, 'state', 'leased', 'attempts', attempts, 'turn', turn)
  values[1], values[2], values[3] = 'leased', attempts, turn
  if before ~= 'leased' then
    move(moves, id, before, 'leased', created)
  end
  local said = accepted and {} or redis.call('LRANGE', lane.base .. 'said:' .. id, 0, -1)
  return { id, values, said, lane.health }
end

-- Folds what waits in a lane if it is more than the target wants one by one. What was tried already goes by itself, so
-- that nothing is repeated under another id; so does a digest, so that none outgrows its bound.
local function coalesce(lane, now)
  local untried = {}
  local looked_at = math.max(lane.most + 1, lane.folded)
  for _, id in ipairs(redis.call('ZRANGE', lane.waiting, '-inf', now, 'BYSCORE', 'LIMIT', 0, looked_at)) do
    local attempts, alert = unpack(redis.call('HMGET', lane.base .. 'delivery:' .. id, 'attempts', 'alert'))
    if attempts == '0' and alert then
      untried[#untried + 1] = id
    end
  end
  if #untried > lane.most then
    fold(lane.base, lane.target, { unpack(untried, 1, lane.folded) }, whole(now), 'catch_up', '')
  end
end

-- Of members with their instants, in order: those that are not later than now, at most so many, and the next instant.
local function until_now(timed, now, count)
  local ids = {}
  for i = 1, #timed, 2 do
    local at = tonumber(timed[i + 1])
    if #ids == count or at > now then
      return ids, at
    end
    ids[#ids + 1] = timed[i]
  end
  return ids
end

-- What is due in a lane, at most so many, and when the first other one is.
local function ripe_in(lane, now, count)
  if lane.ordered then
    local due, id = first_due(lane)
    if due and due <= now and count > 0 then
      return { id }
    end
    return {}, due
  end
  return until_now(redis.call('ZRANGE', lane.waiting, 0, count, 'WITHSCORES'), now, count)
end

local function scored(score, ids)
  local pairs_ = {}
  for _, id in ipairs(ids) do
    pairs_[#pairs_ + 1] = score
    pairs_[#pairs_ + 1] = id
  end
  return pairs_
end

-- Leases what is due in one lane. A flight whose lease ran out keeps its place until it is claimed again here, because its
-- send may still be under way.
local function claim_lane(lane, now, lease_end, room, leases, moves)
  if lane.most > 0 and not lane.ordered then
    coalesce(lane, now)
  end
  local used = lane.gap > 0 and math.max(now, lane.pace) or now
  if lane.gap > 0 then
    room = math.min(room, math.max(0, math.floor((now + allowance(lane.gap) - used) / lane.gap) + 1))
  end
  local flying = redis.call('ZRANGE', lane.flying, 0, -1, 'WITHSCORES')
  local chosen, ends = until_now(flying, now, room)
  local stale = #chosen
  local free = math.max(0, math.min(room - stale, lane.flights - #flying / 2))
  local waiting, due = ripe_in(lane, now, free)
  for _, id in ipairs(waiting) do
    chosen[#chosen + 1] = id
  end
  if #chosen > 0 then
    redis.call('ZADD', lane.flying, unpack(scored(lease_end, chosen)))
    ends = earlier(ends, tonumber(lease_end))
  end
  if #waiting > 0 then
    redis.call('ZREM', lane.waiting, unpack(waiting))
  end
  for _, id in ipairs(chosen) do
    leases[#leases + 1] = lease(lane, id, moves)
  end
  if lane.gap > 0 and #chosen > 0 then
    lane.pace = used + lane.gap * #chosen
    redis.call('HSET', lane.known, 'pace', whole(lane.pace))
  end
  local full = #flying / 2 + #waiting >= lane.flights
  set_next(lane, full and ends or earlier(ends, due))
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
  local first, moves = #leases, new_moves()
  for _, target in ipairs(ripe_targets(base, lanes, now, limit)) do
    local before, lane = #leases, lane_of(base, target)
    local free = first + limit - before
    if lane.slow then
      free = math.min(free, room.slow)
    end
    if free > 0 then
      claim_lane(lane, now, lease_end, free, leases, moves)
      room.slow = lane.slow and room.slow - (#leases - before) or room.slow
    end
    if #leases - first >= limit then
      break
    end
  end
  tell_indexes(base, moves)
  return #leases - first
end

-- Takes back the rings for what has been claimed meanwhile: they would only wake whoever goes to sleep next.
local function hush(keys)
  local bells = {}
  for i, lanes in ipairs(keys) do
    bells[i] = base_of({ lanes }) .. 'bell'
  end
  redis.call('DEL', unpack(bells))
end

-- keys: lanes of partitions. args: now, end of the lease, limit, how many of those may be of slow targets. Answers when
-- something can next be done in any of the partitions, or '', and the leases. What is most overdue comes first, and every
-- partition that is ripe has its share before one has more.
local function claim_deliveries(keys, args)
  local now, lease_end, limit, room = tonumber(args[1]), args[2], tonumber(args[3]), { slow = tonumber(args[4]) }
  local ripe, leases, next_at = {}, {}, nil
  for _, lanes in ipairs(keys) do
    local at = first_score(lanes)
    if at and at <= now then
      ripe[#ripe + 1] = { at, lanes }
    else
      next_at = earlier(next_at, at)
    end
  end
  table.sort(ripe, function(one, other)
    return one[1] < other[1] or (one[1] == other[1] and one[2] < other[2])
  end)
  local left = ripe
  while #left > 0 and #leases < limit do
    local again = {}
    for i, part in ipairs(left) do
      local share = math.ceil((limit - #leases) / (#left - i + 1))
      if share > 0 and claim_part(part[2], now, lease_end, share, room, leases) == share then
        again[#again + 1] = part
      end
    end
    left = again
  end
  for _, part in ipairs(ripe) do
    next_at = earlier(next_at, first_score(part[2]))
  end
  if not next_at or next_at > now then
    hush(keys)
  end
  return { next_at and whole(next_at) or '', leases }
end

redis.register_function { function_name = 'monitor_claim_deliveries', callback = claim_deliveries, flags = { 'allow-oom' } }
