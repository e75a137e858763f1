#!lua flags=allow-oom
-- Reads the head of the log and the tombstones of some causes, atomically.
-- The script is never flagged `no-writes`: a replica must refuse it.
-- KEYS   head, tombstones, entries
-- ARGV   the home where the caller knew the log, or ''; how many entries it knows; their numbers; causes
-- RESULT the generation, or nil; the home it was installed at, or nil; the home of this server now; the latest number, or
--        nil; its id, or nil; then for each known entry its text at another home, or nil; then for each cause its tombstone, or
--        nil
-- The home is master_replid. Redis draws a new one whenever it starts as a primary and whenever a replica becomes one, so
-- a restart or a failover that may have lost revocations is noticed. Reading it costs 8 µs, as much as the rest of a look.
local replication = redis.call('INFO', 'replication')
-- A replica that takes writes does not refuse the script by itself.
if string.find(replication, 'role:slave', 1, true) then return redis.error_reply('READONLY this is a replica') end
local head = redis.call('HMGET', KEYS[1], 'generation', 'home', 'seq', 'id')
local home = string.match(replication, 'master_replid:(%x+)')
local answer = { head[1], head[2], home, head[3], head[4] }
local known = tonumber(ARGV[2])
for i = 1, known do
  local id = ARGV[2 + i] .. '-0'
  local found = home ~= ARGV[1] and redis.call('XRANGE', KEYS[3], id, id)[1]
  answer[5 + i] = found and found[2][2] or false -- A hole would end the answer.
end
-- The causes are read in slices: Lua cannot unpack more than some eight thousand values at once.
local causes = 2 + known
for first = causes + 1, #ARGV, 1000 do
  local slice = redis.call('HMGET', KEYS[2], unpack(ARGV, first, math.min(first + 999, #ARGV)))
  for i, tombstone in ipairs(slice) do
    answer[2 + first + i] = tombstone
  end
end
return answer
