#!lua
-- Writes a change, all of it or nothing. It is written if every expectation holds. A change of expectations alone writes what
-- it expects once more, so that a WAIT after it waits for the earlier write too.
-- KEYS   the keys of what is expected, put, removed, indexed and unindexed, in this order
-- ARGV   the broker's time; how many keys are expected, put, removed, indexed; then
--        for each expected: '-' for no text, or a space and the text
--        for each put: the stamped text, and after how many milliseconds Redis may remove it (0: never)
--        for each indexed: member, score
--        for each unindexed: member
-- RESULT 1: written; 0: an expectation does not hold, and nothing was written
local now = tonumber(ARGV[1])
local key, arg = 0, 6

local function expected()
  key = key + 1
  local stored = redis.call('GET', KEYS[key])
  if stored then
    local space = string.find(stored, ' ', 1, true)
    local expired = space > 1 and tonumber(string.sub(stored, 1, space - 1), 36) <= now
    stored = not expired and string.sub(stored, space)
  end
  local holds = (stored or '-') == ARGV[arg]
  arg = arg + 1
  return holds
end

for _ = 1, ARGV[2] do
  if not expected() then return 0 end
end
if key == #KEYS then
  for i = 1, key do
    local stored = redis.call('GET', KEYS[i])
    if stored then redis.call('SET', KEYS[i], stored, 'KEEPTTL') end
  end
end
for _ = 1, ARGV[3] do
  key = key + 1
  if ARGV[arg + 1] == '0' then
    redis.call('SET', KEYS[key], ARGV[arg])
  else
    redis.call('SET', KEYS[key], ARGV[arg], 'PX', ARGV[arg + 1])
  end
  arg = arg + 2
end
for _ = 1, ARGV[4] do
  key = key + 1
  redis.call('DEL', KEYS[key])
end
for _ = 1, ARGV[5] do
  key = key + 1
  redis.call('ZADD', KEYS[key], ARGV[arg + 1], ARGV[arg])
  arg = arg + 2
end
while key < #KEYS do
  key = key + 1
  redis.call('ZREM', KEYS[key], ARGV[arg])
  arg = arg + 1
end
return 1
