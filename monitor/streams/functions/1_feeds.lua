-- The schedule of feeds. One sorted set of due times per partition; the end of a lease is the new due time.
-- `turns` counts claims and records of a feed, so that a lease is known by its turn and lost by the next.
-- `polled` has the instant of each feed's last poll, `domains` the registrable domain that it is asked at, and `buckets`
-- what is left of each domain's patience.

local MINUTE, HOUR = 60000, 3600000

-- A bucket holds one token, so that there is never a burst: `free_at` is when the domain may be asked again, `gap` the
-- distance that was learned from its refusals, `changed_at` when that was, `used_at` when the domain was last asked.
local function write_bucket(buckets, domain, bucket)
  local words =
    string.format('%.0f %.0f %.0f %.0f', bucket.free_at, bucket.gap, bucket.changed_at, bucket.used_at)
  redis.call('HSET', buckets, domain, words)
end

local function read_bucket(buckets, domain, now)
  local kept = redis.call('HGET', buckets, domain)
  if not kept then
    return { free_at = 0, gap = 0, changed_at = 0, used_at = 0 }
  end
  local free_at, gap, changed_at, used_at = kept:match('^(%d+) (%d+) (%d+) (%d+)$')
  if tonumber(used_at) <= now + CLOCK_TOLERANCE then
    return {
      free_at = tonumber(free_at),
      gap = tonumber(gap),
      changed_at = tonumber(changed_at),
      used_at = tonumber(used_at),
    }
  end
  local bucket = { free_at = 0, gap = tonumber(gap), changed_at = 0, used_at = 0 }
  write_bucket(buckets, domain, bucket) -- what it said was reckoned by a clock that was wrong
  return bucket
end

-- A last poll in the future says that the clock has been set back, and that what is due was reckoned by the wrong one.
local function right_the_clock(due, polled, now)
  local ahead = string.format('(%.0f', now + CLOCK_TOLERANCE)
  for _, id in ipairs(redis.call('ZRANGE', polled, ahead, '+inf', 'BYSCORE', 'LIMIT', 0, 1000)) do
    redis.call('ZREM', polled, id)
    redis.call('ZADD', due, 'XX', now, id)
  end
end

-- keys: `due` and `polled` of some partitions. args: now, limit. What is due in each, with its instants.
local function ripe_feeds(keys, args)
  local ripe = {}
  for i = 1, #keys, 2 do
    right_the_clock(keys[i], keys[i + 1], tonumber(args[1]))
    ripe[#ripe + 1] =
      redis.call('ZRANGE', keys[i], '-inf', args[1], 'BYSCORE', 'LIMIT', 0, args[2], 'WITHSCORES')
  end
  return ripe
end

-- args: now, end of lease, limit, least gap between two polls of a domain.
-- A feed whose domain must not be asked yet is put off to the first instant that no other of this turn has.
local function claim_feeds(keys, args)
  local due, turns, states, _, domains, buckets = unpack(keys)
  local lease_end, limit, least_gap = args[2], tonumber(args[3]), tonumber(args[4])
  local now = tonumber(args[1])
  local leases, booked, looked_at = {}, {}, 0
  while #leases < limit and looked_at < LOOKED_AT_ONCE do
    local most = math.min(limit - #leases, LOOKED_AT_ONCE - looked_at)
    local ripe = redis.call('ZRANGE', due, '-inf', args[1], 'BYSCORE', 'LIMIT', 0, most)
    for _, id in ipairs(ripe) do
      local domain = redis.call('HGET', domains, id) or ''
      local bucket = read_bucket(buckets, domain, now)
      local gap = domain == '' and 0 or math.max(bucket.gap, least_gap)
      if bucket.free_at > now then
        booked[domain] = booked[domain] and booked[domain] + gap or bucket.free_at
        redis.call('ZADD', due, string.format('%.0f', booked[domain]), id)
      else
        if gap > 0 then
          bucket.free_at, bucket.used_at = now + gap, now
          write_bucket(buckets, domain, bucket)
        end
        redis.call('ZADD', due, lease_end, id)
        leases[#leases + 1] = { id, redis.call('HINCRBY', turns, id, 1), redis.call('HGET', states, id) }
      end
    end
    looked_at = looked_at + #ripe
    if #ripe < most then
      break
    end
  end
  return leases
end

-- keys: `buckets`. args: domain, now, latest, least gap. Takes the next instant at which the domain may be asked, and
-- returns it; nothing is taken when that is after the latest, and -1 returned.
local function take_turn(keys, args)
  local domain, now, latest, least_gap = args[1], tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  local bucket = read_bucket(keys[1], domain, now)
  local at = math.max(now, bucket.free_at)
  if at > latest then
    return -1
  end
  bucket.free_at, bucket.used_at = at + math.max(bucket.gap, least_gap), now
  write_bucket(keys[1], domain, bucket)
  return at
end

-- args: id, lease end. Leases this feed, due or not; nothing when it is not scheduled.
local function take_feed(keys, args)
  local due, turns, states = unpack(keys)
  local id, lease_end = unpack(args)
  if not redis.call('ZSCORE', due, id) then
    return {}
  end
  redis.call('ZADD', due, lease_end, id)
  return { { id, redis.call('HINCRBY', turns, id, 1), redis.call('HGET', states, id) } }
end

-- A refusal halves the rate, at most once a minute: polls that were under way together say the same thing. Answers give
-- an eighth of it back each hour. `until_at` 0: the domain did not ask to be left alone.
local function heed(buckets, domain, now, mood, until_at, least_gap)
  local bucket = read_bucket(buckets, domain, now)
  if mood == 'slower' then
    if now - bucket.changed_at >= MINUTE then
      local doubled = 2 * math.max(bucket.gap, least_gap, SLOWED_GAP / 2)
      bucket.gap, bucket.changed_at = math.min(doubled, LONGEST_GAP), now
    end
    bucket.free_at = math.max(bucket.free_at, now + bucket.gap)
  elseif mood == 'well' and bucket.gap > 0 and now - bucket.changed_at >= HOUR then
    bucket.gap, bucket.changed_at = math.floor(bucket.gap * 7 / 8), now
    if bucket.gap <= math.max(least_gap, SLOWED_GAP / 2) then
      bucket.gap = 0
    end
  elseif until_at == 0 then
    return
  end
  bucket.free_at, bucket.used_at = math.max(bucket.free_at, until_at), now
  write_bucket(buckets, domain, bucket)
end

-- keys: `buckets`. args: domain, now, mood, until, least gap. Heeds an answer that is no poll's.
local function note_answer(keys, args)
  heed(keys[1], args[1], tonumber(args[2]), args[3], tonumber(args[4]), tonumber(args[5]))
  return 1
end

-- Hundreds of keys come as one text: as words of their own they cost the client more than all else in a poll.
-- They stay texts, because a number here has 53 bits.
local function numbers_in(text)
  local found = {}
  for number in string.gmatch(text, '%S+') do
    found[#found + 1] = number
  end
  return found
end

-- keys: the two generations of what was seen. args: keys with blanks between. Answers a 1 or a 0 for each.
local function known_keys(keys, args)
  local wanted, answers = numbers_in(args[1]), {}
  for first = 1, #wanted, 1000 do
    local last = math.min(first + 999, #wanted)
    local current = redis.call('SMISMEMBER', keys[1], unpack(wanted, first, last))
    local previous = redis.call('SMISMEMBER', keys[2], unpack(wanted, first, last))
    for i = 1, #current do
      answers[#answers + 1] = (current[i] == 1 or previous[i] == 1) and '1' or '0'
    end
  end
  return table.concat(answers)
end

-- Nothing that stands in the current document is ever forgotten: a new generation starts with all of it.
local function remember(id, now, keep_for, generations, current, previous, seen)
  local since = tonumber(redis.call('HGET', generations, id))
  if since and now - since >= keep_for then
    if redis.call('EXISTS', current) == 1 then
      redis.call('RENAME', current, previous)
    end
    since = nil
  end
  if not since then
    redis.call('HSET', generations, id, string.format('%.0f', now))
  end
  for first = 1, #seen, 1000 do -- the stack of one call holds a few thousand arguments
    redis.call('SADD', current, unpack(seen, first, math.min(first + 999, #seen)))
  end
end

-- args: id, turn, state, next due, now, high water, generation length, domain, mood, until, least gap, keys as one text,
-- number of chapters, how many may wait for the archive, chapters..., articles... The domain is '' where it stays. The keys
-- of the archive are there when chapters are.
local function record_poll(keys, args)
  local due, turns, states, polled, domains, buckets, generations, current, previous, articles = unpack(keys)
  local id, turn, state, next_at, now, high_water, keep_for = unpack(args, 1, 7)
  local domain, mood, until_at, least_gap, key_text, chapters, room = unpack(args, 8, 14)
  local first = 15 + tonumber(chapters)
  if not redis.call('ZSCORE', due, id) or redis.call('HGET', turns, id) ~= turn then
    return 'fenced'
  end
  redis.call('HINCRBY', turns, id, 1)
  redis.call('ZADD', due, next_at, id)
  redis.call('ZADD', polled, now, id)
  heed(buckets, redis.call('HGET', domains, id) or '', tonumber(now), mood, tonumber(until_at), tonumber(least_gap))
  if args[first] and redis.call('XLEN', articles) >= tonumber(high_water) then
    return 'full'
  end
  if domain ~= '' then
    redis.call('HSET', domains, id, domain)
  end
  redis.call('HSET', states, id, state)
  local seen = numbers_in(key_text)
  if #seen > 0 then
    remember(id, tonumber(now), tonumber(keep_for), generations, current, previous, seen)
  end
  for i = 15, first - 1 do
    keep(keys[11], keys[12], room, args[i])
  end
  for i = first, #args do
    redis.call('XADD', articles, '*', 'd', args[i])
  end
  return 'done'
end

redis.register_function('monitor_ripe_feeds', ripe_feeds)
redis.register_function('monitor_claim_feeds', claim_feeds)
redis.register_function('monitor_take_feed', take_feed)
redis.register_function('monitor_take_turn', take_turn)
redis.register_function('monitor_note_answer', note_answer)
redis.register_function { function_name = 'monitor_known_keys', callback = known_keys, flags = { 'no-writes' } }
redis.register_function('monitor_record_poll', record_poll)
