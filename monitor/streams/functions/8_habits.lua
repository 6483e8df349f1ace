-- What rules usually find. The hash `habit` has the stories of each hour, `since` and `told`; of two sorted sets one has
-- each story with the slot in which it came, and one each source with the last slot in which it told any.

-- Hours that nobody compares with are dropped when a new one begins.
local function count_hour(habit, hour)
  redis.call('HSETNX', habit, 'since', hour)
  if redis.call('HINCRBY', habit, hour, 1) > 1 then
    return
  end
  for _, field in ipairs(redis.call('HKEYS', habit)) do
    local number = tonumber(field)
    if number and number < hour - HABIT_HOURS then
      redis.call('HDEL', habit, field)
    end
  end
end

local function has_room(set, slot, member)
  redis.call('ZREMRANGEBYSCORE', set, '-inf', slot - HABIT_SLOTS)
  return redis.call('ZSCORE', set, member) or redis.call('ZCARD', set) < HABIT_MEMBERS
end

-- keys: habit, stories, sources. args: slot, its hour, story, source, least stories, lengths of windows, shortest first.
-- Answers stories and sources of each window and what the hash has, or nothing when the longest has too few stories.
local function count_story(keys, args)
  local habit, stories, sources = unpack(keys)
  local slot, hour, story, source, least = tonumber(args[1]), tonumber(args[2]), unpack(args, 3, 5)
  if has_room(stories, slot, story) and redis.call('ZADD', stories, 'NX', slot, story) == 1 then
    count_hour(habit, hour)
  end
  if has_room(sources, slot, source) then
    redis.call('ZADD', sources, 'GT', slot, source)
  end
  redis.call('EXPIRE', habit, HABIT_SECONDS)
  redis.call('EXPIRE', stories, STORIES_SECONDS)
  redis.call('EXPIRE', sources, STORIES_SECONDS)
  local found = {}
  for i = 6, #args do
    local first = slot - args[i] + 1
    found[#found + 1] = redis.call('ZCOUNT', stories, first, slot)
    found[#found + 1] = redis.call('ZCOUNT', sources, first, '+inf')
  end
  if found[#found - 1] < tonumber(least) then
    return false
  end
  return { found, redis.call('HGETALL', habit) }
end

-- keys: habit, articles. args: slot, for how many slots nothing more is told, notice.
local function tell_burst(keys, args)
  local slot, told = tonumber(args[1]), tonumber(redis.call('HGET', keys[1], 'told') or nil)
  if told and math.abs(slot - told) < tonumber(args[2]) then
    return 0
  end
  redis.call('HSET', keys[1], 'told', slot)
  redis.call('EXPIRE', keys[1], HABIT_SECONDS)
  redis.call('XADD', keys[2], '*', 'd', args[3])
  return 1
end

redis.register_function { function_name = 'monitor_count_story', callback = count_story, flags = { 'allow-oom' } }
redis.register_function { function_name = 'monitor_tell_burst', callback = tell_burst, flags = { 'allow-oom' } }
