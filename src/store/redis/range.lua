#!lua flags=no-writes
-- Reads members of an index in the order of score, then member in byte order: those after a place, up to a score.
-- KEYS   index
-- ARGV   the highest score, or '+inf'; the limit; the score and member after which to begin, or nothing to begin at the first
-- RESULT member, score, member, score …
local index = KEYS[1]

-- The comparison goes byte by byte, because `<` on strings follows the locale of the server.
local function above(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x > y end
  end
  return #a > #b
end

local from = 0
if ARGV[3] then
  -- The member itself may be gone, so its place is searched for among the members of the same score.
  local to = redis.call('ZCOUNT', index, '-inf', ARGV[3])
  from = redis.call('ZCOUNT', index, '-inf', '(' .. ARGV[3])
  while from < to do
    local middle = math.floor((from + to) / 2)
    if above(redis.call('ZRANGE', index, middle, middle)[1], ARGV[4]) then to = middle else from = middle + 1 end
  end
end
local count = math.min(redis.call('ZCOUNT', index, '-inf', ARGV[1]) - from, tonumber(ARGV[2]))
if count <= 0 then return {} end
return redis.call('ZRANGE', index, from, from + count - 1, 'WITHSCORES')
