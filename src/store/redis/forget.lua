#!lua flags=allow-oom
-- Removes tombstones that still have the text that was read. A revocation that came between keeps its tombstone.
-- KEYS   tombstones
-- ARGV   cause, tombstone, cause, tombstone …
-- RESULT nil
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
