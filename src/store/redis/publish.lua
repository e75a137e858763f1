#!lua flags=allow-oom
-- Appends an entry and writes the tombstone it was joined into, if the tombstone before is still the one that was read.
-- KEYS   head, tombstones, entries, the publication's id
-- ARGV   the cause; the tombstone before, or ''; the tombstone after with '?' for the number, or '' when there is nothing to
--        publish; the entry; for how many milliseconds the id is known; how many entries are kept
-- RESULT 'new' or 'known' (the id was published before), then `<number> <tombstone before>`; or 'missed' (the tombstone is
--        another, or there is nothing to publish), then the tombstone now, or ''
local replication = redis.call('INFO', 'replication')
-- A replica that takes writes does not refuse the script by itself, and its primary would overwrite the entry.
if string.find(replication, 'role:slave', 1, true) then return redis.error_reply('READONLY this is a replica') end
local known = redis.call('GET', KEYS[4])
if known then
  -- This is a write, so that a WAIT after it waits for the earlier publication too.
  redis.call('PEXPIRE', KEYS[4], ARGV[5])
  return { 'known', known }
end
local before = redis.call('HGET', KEYS[2], ARGV[1]) or ''
if before ~= ARGV[2] or ARGV[3] == '' then return { 'missed', before } end
local seq = string.format('%.0f', (redis.call('HGET', KEYS[1], 'seq') or 0) + 1)
-- What can fail comes first: an error ends the script and undoes nothing.
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], seq .. '-0', 'e', ARGV[4])
redis.call('HSET', KEYS[1], 'seq', seq)
redis.call('HSET', KEYS[2], ARGV[1], (string.gsub(ARGV[3], '%?', seq)))
local answer = seq .. ' ' .. before
redis.call('SET', KEYS[4], answer, 'PX', ARGV[5])
return { 'new', answer }
