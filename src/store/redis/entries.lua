#!lua flags=allow-oom
-- Reads the entries after a number, and the data that shows whether all of them are still kept.
-- The script is never flagged `no-writes`: a replica must refuse it.
-- KEYS   head, entries
-- ARGV   the number before the first, limit
-- RESULT the latest number, the stream id of the oldest entry that is kept, then stream id and text of each entry, the oldest first
local seq = redis.call('HGET', KEYS[1], 'seq') or '0'
local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local answer = { seq, oldest and oldest[1] or string.format('%.0f', seq + 1) }
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])) do
  answer[#answer + 1] = entry[1]
  answer[#answer + 1] = entry[2][2]
end
return answer
