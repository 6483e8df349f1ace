-- What the operator asks and the housekeeper does.

local STATES = { 'pending', 'leased', 'retry', 'delivered', 'dead', 'dropped', 'held', 'folded' }

-- A group that does not exist yet holds nothing.
local function pending_in(stream, group)
  local summary = redis.pcall('XPENDING', stream, group)
  return summary.err and 0 or summary[1]
end

local function length_pending_oldest(stream, group)
  local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  return { redis.call('XLEN', stream), pending_in(stream, group), first and first[1] or '' }
end

-- keys: lanes, due, articles, matches, dead, archive, missed. args: now, group.
local UNDELIVERED = { 'pending', 'leased', 'retry' }

-- Answers when the oldest delivery that is under way was made, or nothing.
local function oldest_undelivered(base)
  local oldest = false
  for _, state in ipairs(UNDELIVERED) do
    local made = redis.call('ZRANGE', base .. 'index:' .. state, 0, 0, 'WITHSCORES')[2]
    if made and (not oldest or tonumber(made) < tonumber(oldest)) then
      oldest = made
    end
  end
  return oldest
end

local function census(keys, args)
  local base = base_of(keys)
  local states = {}
  for i, state in ipairs(STATES) do
    states[i] = redis.call('ZCARD', base .. 'index:' .. state)
  end
  return {
    redis.call('ZCARD', keys[2]),
    redis.call('ZCOUNT', keys[2], '-inf', args[1]),
    length_pending_oldest(keys[3], args[2]),
    length_pending_oldest(keys[4], args[2]),
    redis.call('XLEN', keys[5]),
    states,
    length_pending_oldest(keys[6], args[2]),
    tonumber(redis.call('GET', keys[7]) or 0),
    oldest_undelivered(base),
  }
end

-- args: group, idle ms. Looks and removes in one step: removing a consumer that holds entries would lose them.
local function dismiss_consumers(keys, args)
  local consumers = redis.pcall('XINFO', 'CONSUMERS', keys[1], args[1])
  if consumers.err then
    return 0
  end
  local count = 0
  for _, flat in ipairs(consumers) do
    local consumer = {}
    for i = 1, #flat, 2 do
      consumer[flat[i]] = flat[i + 1]
    end
    if consumer.pending == 0 and consumer.idle > tonumber(args[2]) then
      redis.call('XGROUP', 'DELCONSUMER', keys[1], args[1], consumer.name)
      count = count + 1
    end
  end
  return count
end

-- keys: sorted sets. Answers the least score in each, or nothing for an empty one.
local function first_scores(keys)
  local scores = {}
  for i, key in ipairs(keys) do
    scores[i] = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or false
  end
  return scores
end

redis.register_function { function_name = 'monitor_first_scores', callback = first_scores, flags = { 'no-writes' } }
redis.register_function { function_name = 'monitor_census', callback = census, flags = { 'no-writes' } }
redis.register_function { function_name = 'monitor_dismiss', callback = dismiss_consumers, flags = { 'allow-oom' } }
