#!lua flags=allow-oom
-- Installs a generation at the home of this server now (see look.lua), if the stored one is still the one that was seen. Where
-- the log is kept across a failover, the generation does not count yet: its home has a `?` before it until every replica has it
-- (confirm.lua). Otherwise a promotion could bring the old generation back to life.
-- KEYS   head
-- ARGV   the generation that was seen, or ''; the new one; how many replicas can be promoted where a failover keeps what lives,
--        otherwise 0
-- RESULT 0: another generation is stored; or how many replicas must have the generation, and the generation that waits for them,
--        which may be an earlier one, or '' where none waits
local replication = redis.call('INFO', 'replication')
if string.find(replication, 'role:slave', 1, true) then return redis.error_reply('READONLY this is a replica') end
local head = redis.call('HMGET', KEYS[1], 'generation', 'home', 'replicas')
if (head[1] or '') ~= ARGV[1] then return 0 end
local home = string.match(replication, 'master_replid:(%x+)')
local kept = math.max(tonumber(head[3]) or 0, tonumber(ARGV[3]))
if kept == 0 then
  redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'home', home)
  return { 0, '' }
end
-- One that waits already is written again, so that a WAIT after it waits for it.
local waiting = head[2] == '?' .. home and head[1] or ARGV[2]
redis.call('HSET', KEYS[1], 'generation', waiting, 'home', '?' .. home, 'replicas', kept)
return { math.max(kept, tonumber(string.match(replication, 'connected_slaves:(%d+)'))), waiting }
