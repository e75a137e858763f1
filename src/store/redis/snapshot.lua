#!lua flags=allow-oom
-- Reads a page of tombstones. The script is never flagged `no-writes`: a replica must refuse it.
-- KEYS   tombstones
-- ARGV   the cursor; how many tombstones to look at
-- RESULT the next cursor ('0': there are no more); then a list of cause, tombstone, cause, tombstone …
return redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
