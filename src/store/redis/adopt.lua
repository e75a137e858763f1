#!lua flags=allow-oom
-- Takes the home of this server for the one where the generation was installed, if both are still those of the look that the
-- caller judged by. It is never flagged `no-writes`: a replica must refuse it.
-- KEYS   head
-- ARGV   the generation; the home of this server
-- RESULT 1: the generation counts here; 0: the generation or the home is another
local replication = redis.call('INFO', 'replication')
if string.find(replication, 'role:slave', 1, true) then return redis.error_reply('READONLY this is a replica') end
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return 0 end
if string.match(replication, 'master_replid:(%x+)') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'home', ARGV[2])
return 1
