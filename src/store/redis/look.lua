#!lua flags=allow-oom
-- Where the log stands and what lies on the causes, read at once. Never `no-writes`: a replica must refuse it.
-- KEYS   head, tombstones
-- ARGV   causes
-- RESULT generation or nil, the home it was installed at or nil, the home of today, seq or nil; then the tombstone or
--        nil of each cause
-- The home is master_replid: Redis draws a new one whenever it starts as a primary and whenever a replica becomes one.
-- Reading it costs 8 µs, as much as the rest of a look.
local answer = redis.call('HMGET', KEYS[1], 'generation', 'home', 'seq')
answer[4] = answer[3]
answer[3] = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
-- In slices: Lua cannot unpack some eight thousand at once.
for first = 1, #ARGV, 1000 do
  local slice = redis.call('HMGET', KEYS[2], unpack(ARGV, first, math.min(first + 999, #ARGV)))
  for i, tombstone in ipairs(slice) do
    answer[3 + first + i] = tombstone
  end
end
return answer
