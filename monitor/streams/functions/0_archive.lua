-- What is kept for the archive never holds up the rest: when its log is full, what is missed is counted.
local function keep(log, missed, limit, record)
  if record == '' then
    return
  end
  if redis.call('XLEN', log) < tonumber(limit) then
    redis.call('XADD', log, '*', 'd', record)
  else
    redis.call('INCR', missed)
  end
end

