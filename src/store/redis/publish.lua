#!lua flags=allow-oom
-- Appends an entry and writes the tombstone it was joined into, if the tombstone before is still the one that was read.
-- KEYS   head, tombstones, entries, what is known of the publication's id
-- ARGV   the publication's id; the cause; the tombstone before, or ''; the tombstone after with '?' for the number, or '' when
--        there is nothing to publish; the entry; for how many milliseconds the id is known; how many entries are kept
-- RESULT how many replicas must have it before it is acknowledged, as far as the log says; 'new' or 'known' (the id was
--        published before), then `<number> <tombstone before>`; or 'missed' (the tombstone is another, or there is nothing to
--        publish), then the tombstone now, or ''
local replication = redis.call('INFO', 'replication')
-- A replica that takes writes does not refuse the script by itself, and its primary would overwrite the entry.
if string.find(replication, 'role:slave', 1, true) then return redis.error_reply('READONLY this is a replica') end
-- A log that is kept across a failover says for how many replicas, whatever the broker is configured for. One more that is
-- connected could be promoted too.
local needed = tonumber(redis.call('HGET', KEYS[1], 'replicas')) or 0
if needed > 0 then needed = math.max(needed, tonumber(string.match(replication, 'connected_slaves:(%d+)'))) end
local known = redis.call('GET', KEYS[4])
if known then
  -- This is a write, so that a WAIT after it waits for the earlier publication too.
  redis.call('PEXPIRE', KEYS[4], ARGV[6])
  return { needed, 'known', known }
end
local before = redis.call('HGET', KEYS[2], ARGV[2]) or ''
if before ~= ARGV[3] or ARGV[4] == '' then return { needed, 'missed', before } end
local seq = string.format('%.0f', (redis.call('HGET', KEYS[1], 'seq') or 0) + 1)
-- What can fail comes first: an error ends the script and undoes nothing.
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[7], seq .. '-0', 'e', ARGV[5])
redis.call('HSET', KEYS[1], 'seq', seq, 'id', ARGV[1])
redis.call('HSET', KEYS[2], ARGV[2], (string.gsub(ARGV[4], '%?', seq)))
local answer = seq .. ' ' .. before
redis.call('SET', KEYS[4], answer, 'PX', ARGV[6])
return { needed, 'new', answer }
