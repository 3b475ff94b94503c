-- Keeps the picture of an auction, unless a newer one is kept or known of.
-- KEYS: the picture, the floor. ARGV: the position in digits, the message, how long in ms.
local floor = redis.call('GET', KEYS[2])
if floor and ARGV[1] < floor then
    return 0
end
local kept = redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1)
if kept ~= '' and ARGV[1] < kept then
    return 0
end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1
