#!lua flags=allow-oom
-- Lets a generation count that every replica has (see replace.lua).
-- KEYS   head
-- ARGV   the generation
-- RESULT 1: it counts from now on; 0: it counted already, or another one is stored, or the home is another
local replication = redis.call('INFO', 'replication')
if string.find(replication, 'role:slave', 1, true) then return redis.error_reply('READONLY this is a replica') end
local head = redis.call('HMGET', KEYS[1], 'generation', 'home')
local home = string.match(replication, 'master_replid:(%x+)')
if head[1] ~= ARGV[1] or head[2] ~= '?' .. home then return 0 end
redis.call('HSET', KEYS[1], 'home', home)
return 1
