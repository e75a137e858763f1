#!lua flags=allow-oom
-- Appends an entry and writes the tombstone it joined into, if that is still the one it was joined to.
-- KEYS   head, tombstones, entries, the publication's id
-- ARGV   cause, tombstone before or '', tombstone after with '?' for the number, the entry, milliseconds to remember the id, how many
--        entries to keep
-- RESULT 'new' or 'known', then number and tombstone before as `<seq> <before>`; or 'missed' and the tombstone now or ''
local known = redis.call('GET', KEYS[4])
if known then
  -- A write, so that WAIT after this waits for the publication too.
  redis.call('PEXPIRE', KEYS[4], ARGV[5])
  return { 'known', known }
end
local before = redis.call('HGET', KEYS[2], ARGV[1]) or ''
if before ~= ARGV[2] or ARGV[3] == '' then return { 'missed', before } end
local seq = string.format('%.0f', (redis.call('HGET', KEYS[1], 'seq') or 0) + 1)
-- First what can fail: an error ends the script but undoes nothing.
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], seq .. '-0', 'e', ARGV[4])
redis.call('HSET', KEYS[1], 'seq', seq)
redis.call('HSET', KEYS[2], ARGV[1], (string.gsub(ARGV[3], '%?', seq)))
local answer = seq .. ' ' .. before
redis.call('SET', KEYS[4], answer, 'PX', ARGV[5])
return { 'new', answer }
