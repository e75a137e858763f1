#!lua flags=allow-oom
-- Takes the home of this server for the one where the generation was installed, if both are still those of the look that the
-- caller judged by. It is never flagged `no-writes`: a replica must refuse it.
-- KEYS   head
-- ARGV   the generation; the home of this server; then, where it must show by itself that nothing acknowledged is missing: how
--        many replicas could have been promoted, the broker's time and how far clocks may differ, both in milliseconds
-- RESULT 1: the generation counts here; 0: the generation or the home is another, or something may be missing
local replication = redis.call('INFO', 'replication')
if string.find(replication, 'role:slave', 1, true) then return redis.error_reply('READONLY this is a replica') end
local head = redis.call('HMGET', KEYS[1], 'generation', 'home', 'replicas', 'stamped')
if head[1] ~= ARGV[1] then return 0 end
local home = string.match(replication, 'master_replid:(%x+)')
if home ~= ARGV[2] then return 0 end

-- What was acknowledged was on every replica. So whichever was promoted lacks it only if its process has started since, from an
-- older state on its disk. Every broker stamps the log with the time, again and again: a server that lacks what was acknowledged
-- before its start has no stamp from after its start either, because a replica has all that came before what it has.
local function nothingIsMissing()
  if tonumber(head[3]) ~= tonumber(ARGV[3]) then return false end
  -- The history of the server must be that of the home, without another primary in between. No former home is zeros.
  if head[2] ~= string.match(replication, 'master_replid2:(%x+)') then return false end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local skew = tonumber(ARGV[5])
  if math.abs(now - ARGV[4]) > skew then return false end
  local uptime = string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)')
  -- Two clocks that each agree with a broker's may differ by twice as much. The uptime is cut to seconds.
  local stamped = tonumber(head[4]) or 0
  -- A stamp from the future was made by clocks that were ahead together. It says nothing about this start.
  return now - (uptime - 1) * 1000 + 2 * skew < stamped and stamped <= now + 2 * skew
end

if ARGV[3] and home ~= head[2] and not nothingIsMissing() then return 0 end
redis.call('HSET', KEYS[1], 'home', home)
return 1
