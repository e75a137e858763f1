#!lua flags=allow-oom
-- A page of tombstones. Never `no-writes`: a replica must refuse it.
-- KEYS   tombstones
-- ARGV   cursor, how many to look at
-- RESULT next cursor ('0': no more), then cause, tombstone, cause, tombstone … in a list
return redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
