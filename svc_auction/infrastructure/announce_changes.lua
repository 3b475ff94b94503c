-- Lets no picture below its auction's position be kept from now on, and drops those that are.
-- KEYS: a picture and a floor for each auction. ARGV: how long a floor stands in ms, then the
-- positions in digits.
for number = 2, #ARGV do
    local picture, floor, position = KEYS[2 * number - 3], KEYS[2 * number - 2], ARGV[number]
    local known = redis.call('GET', floor)
    if not known or known <= position then
        redis.call('SET', floor, position, 'PX', ARGV[1])
        local kept = redis.call('GETRANGE', picture, 0, #position - 1)
        if kept ~= '' and kept < position then
            redis.call('DEL', picture)
        end
    end
end
return #ARGV - 1
