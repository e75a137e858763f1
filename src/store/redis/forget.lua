#!lua flags=allow-oom
-- Removes tombstones that are unchanged.
-- KEYS   tombstones
-- ARGV   cause, tombstone, cause, tombstone …
-- RESULT nil
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
