#!lua flags=allow-oom
-- Stamps the log with the time, and says for how many replicas it is kept, if it counts here (see adopt.lua). A number is only
-- ever raised: a server that does not have the higher one yet has nothing that was acknowledged by it either.
-- KEYS   head
-- ARGV   how many replicas can be promoted where a failover keeps what lives, otherwise 0; the broker's time and how far clocks
--        may differ, both in milliseconds
-- RESULT for how many replicas the log is kept, 0 for none
local replication = redis.call('INFO', 'replication')
if string.find(replication, 'role:slave', 1, true) then return redis.error_reply('READONLY this is a replica') end
local head = redis.call('HMGET', KEYS[1], 'home', 'replicas')
local kept, wanted = tonumber(head[2]) or 0, tonumber(ARGV[1])
if wanted == 0 or head[1] ~= string.match(replication, 'master_replid:(%x+)') then return kept end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A time that may be wrong would vouch for a server that has started since.
if math.abs(now - ARGV[2]) <= tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], 'stamped', string.format('%.0f', now))
end
if wanted <= kept then return kept end
redis.call('HSET', KEYS[1], 'replicas', wanted)
return wanted
