-- The schedule of feeds. One sorted set of due times per partition; the end of a lease is the new due time.
-- `turns` counts claims and records of a feed, so that a lease is known by its turn and lost by the next.

local function claim_feeds(keys, args)
  local due, turns, states = unpack(keys)
  local now, lease_end, limit = unpack(args)
  local leases = {}
  for i, id in ipairs(redis.call('ZRANGE', due, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
    redis.call('ZADD', due, lease_end, id)
    leases[i] = { id, redis.call('HINCRBY', turns, id, 1), redis.call('HGET', states, id) }
  end
  return leases
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

-- args: id, turn, state, next due, now, high water, generation length, number of keys, keys..., articles...
local function record_poll(keys, args)
  local due, turns, states, generations, current, previous, articles = unpack(keys)
  local id, turn, state, next_at, now, high_water, keep_for, key_count = unpack(args, 1, 8)
  if not redis.call('ZSCORE', due, id) or redis.call('HGET', turns, id) ~= turn then
    return 'fenced'
  end
  local first_article = 9 + tonumber(key_count)
  redis.call('HINCRBY', turns, id, 1)
  redis.call('ZADD', due, next_at, id)
  if args[first_article] and redis.call('XLEN', articles) >= tonumber(high_water) then
    return 'full'
  end
  redis.call('HSET', states, id, state)
  local seen = {}
  for i = 9, first_article - 1 do
    seen[#seen + 1] = args[i]
  end
  if #seen > 0 then
    remember(id, tonumber(now), tonumber(keep_for), generations, current, previous, seen)
  end
  for i = first_article, #args do
    redis.call('XADD', articles, '*', 'd', args[i])
  end
  return 'done'
end

redis.register_function('monitor_claim_feeds', claim_feeds)
redis.register_function('monitor_take_feed', take_feed)
redis.register_function('monitor_record_poll', record_poll)
