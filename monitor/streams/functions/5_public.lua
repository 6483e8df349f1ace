-- The public stream. keys: stream, published now, published before. args: per match its hash and eight field values.

local NAMES = { 'v', 'rule', 'article', 'feed', 'severity', 'lang', 'url', 'data' }

local function publish(keys, args)
  local count = 0
  for i = 1, #args, #NAMES + 1 do
    local known = redis.call('SISMEMBER', keys[3], args[i]) == 1
    if not known and redis.call('SADD', keys[2], args[i]) == 1 then
      local fields = {}
      for n, name in ipairs(NAMES) do
        fields[2 * n - 1], fields[2 * n] = name, args[i + n]
      end
      redis.call('XADD', keys[1], '*', unpack(fields))
      count = count + 1
    end
  end
  if count > 0 then
    redis.call('EXPIRE', keys[2], TOLD_SECONDS)
  end
  return count
end

redis.register_function { function_name = 'monitor_publish', callback = publish, flags = { 'allow-oom' } }
