#!lua flags=allow-oom
-- Installs a generation at the home of this server now (see look.lua), if the stored one is still the one that was seen.
-- KEYS   head
-- ARGV   the generation that was seen, or ''; the new one
-- RESULT 1: installed; 0: another generation is stored
local replication = redis.call('INFO', 'replication')
if string.find(replication, 'role:slave', 1, true) then return redis.error_reply('READONLY this is a replica') end
if (redis.call('HGET', KEYS[1], 'generation') or '') ~= ARGV[1] then return 0 end
local home = string.match(replication, 'master_replid:(%x+)')
redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'home', home)
return 1
