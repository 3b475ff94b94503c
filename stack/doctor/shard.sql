-- One auction shard: books, bids, and what funds them. A row is a violation: (where, what).

-- name: held_power_is_what_live_auctions_hold
-- What is held of a bidder's power is the sum of the holds of the live auctions that they lead.
select 'bidder ' || coalesce(bidder_id, leader_id) || ' in '
    || coalesce(p.currency_code, h.currency_code),
    coalesce(p.held_minor, 0) || ' is held, live auctions hold ' || coalesce(h.held_minor, 0)
from bidding_power as p
full join (
    select leader_id, currency_code, sum(held_minor) as held_minor
    from books
    join auctions using (auction_id)
    where state = 3 and held_minor <> 0
    group by leader_id, currency_code
) as h on h.leader_id = p.bidder_id and h.currency_code = p.currency_code
where coalesce(p.held_minor, 0) <> coalesce(h.held_minor, 0)
order by 1;

-- name: held_power_is_within_the_allotment
-- Nothing held is negative or above what was allotted.
select 'bidder ' || bidder_id || ' in ' || currency_code,
    held_minor || ' is held of ' || allotted_minor
from bidding_power
where held_minor < 0 or held_minor > allotted_minor
order by 1;

-- name: holds_are_the_leaders_maxima
-- A live auction that asks for funds holds its leader's maximum; any other auction holds nothing.
select 'auction ' || auction_id,
    'holds ' || held_minor || ', state ' || state || ', the leader''s maximum is '
    || leader_maximum_minor
from books
join auctions using (auction_id)
where held_minor <>
    case
        when state = 3 and funding = 1 and leader_id is not null then leader_maximum_minor
        else 0
    end
order by 1;

-- name: bid_log_is_chained
-- Every record of a bid log carries the hash of itself and of the record before it.
select 'auction ' || auction_id || ', bid ' || sequence, 'its hash does not fit its content'
from (
    select auction_id, sequence, record_hash,
        sha256(
            lag(record_hash, 1, decode(repeat('00', 32), 'hex')) over log
            || uuid_send(auction_id) || int8send(sequence)
            || uuid_send(bid_id) || uuid_send(bidder_id)
            || int8send(maximum_minor) || int8send(price_minor)
            || int8send((extract(epoch from placed_at) * 1000000)::bigint)
        ) as recomputed_hash
    from bids
    window log as (partition by auction_id order by sequence)
) as records
where record_hash <> recomputed_hash
order by auction_id, sequence;

-- name: books_end_with_their_last_bid
-- A book has the count, price, leader and hash of its last bid, and a sequence not before it.
select 'auction ' || books.auction_id, 'its book does not agree with its last bid'
from books
join auctions using (auction_id)
left join (select auction_id, count(*) as counted from bids group by auction_id) as tally
    using (auction_id)
left join lateral (
    select * from bids where bids.auction_id = books.auction_id order by sequence desc limit 1
) as last_bid on true
where (books.bid_count, books.price_minor, books.leader_id, books.log_head)
    is distinct from (
        coalesce(tally.counted, 0),
        coalesce(last_bid.price_minor, auctions.opening_minor),
        last_bid.leader_id,
        coalesce(last_bid.record_hash, '')
    )
    or books.sequence < coalesce(last_bid.sequence, 0)
order by 1;

-- name: price_never_falls
-- By sequence the price of an auction never falls.
select 'auction ' || auction_id || ', bid ' || sequence,
    'the price falls from ' || price_before_minor || ' to ' || price_minor
from (
    select auction_id, sequence, price_minor,
        lag(price_minor) over (partition by auction_id order by sequence) as price_before_minor
    from bids
) as priced
where price_minor < price_before_minor
order by auction_id, sequence;

-- name: bids_fall_within_their_auction
-- Bids were placed in the order of their sequence, after the start and before the end.
select 'auction ' || auction_id || ', bid ' || sequence, 'placed at ' || placed_at
from (
    select b.auction_id, b.sequence, b.placed_at, books.starts_at,
        case when books.state in (4, 5) then books.ends_at else b.ends_at end as ended_at,
        lag(b.placed_at) over (partition by b.auction_id order by b.sequence) as placed_before_at
    from bids as b
    join books using (auction_id)
) as timed
where placed_at < placed_before_at or placed_at < starts_at or placed_at > ended_at
    or starts_at is null
order by auction_id, sequence;

-- name: requests_count_once
-- One request id of one bidder is at most one bid.
select 'bidder ' || bidder_id, count(*) || ' bids for the request ' || request_id
from bids
group by bidder_id, request_id
having count(*) <> 1
order by 1;

-- name: sellers_do_not_bid
-- Nobody bids on an auction of their own.
select 'auction ' || auction_id || ', bid ' || sequence, 'its bidder is the seller'
from bids
join auctions using (auction_id)
where bidder_id = seller_id
order by auction_id, sequence;

-- name: outcomes_follow_from_the_bids
-- Sold if the leader reaches the reserve, else reserve not met; no bids without one; none before.
select 'auction ' || auction_id,
    'state ' || state || ', outcome ' || coalesce(outcome::text, 'none')
    || ', ' || bid_count || ' bids'
from books
join auctions using (auction_id)
where outcome is distinct from case
    when state = 5 then 4
    when state <> 4 then null
    when leader_id is null then 3
    when leader_maximum_minor < reserve_minor then 2
    else 1
end
order by 1;

-- name: winners_have_the_highest_maximum
-- A book's leader placed the highest maximum of its bids, the earlier of two equal ones.
select 'auction ' || auction_id,
    'its leader''s maximum is ' || leader_maximum_minor || ', the highest ' || top.maximum_minor
from books
join lateral (
    select bidder_id, maximum_minor
    from bids
    where bids.auction_id = books.auction_id
    order by maximum_minor desc, sequence
    limit 1
) as top on true
where (leader_id, leader_maximum_minor) is distinct from (top.bidder_id, top.maximum_minor)
order by 1;

-- name: sold_means_one_settlement
-- Each funded sale owes its price to the seller once; nothing else is owed.
select 'auction ' || coalesce(sold.auction_id, owed.auction_id),
    'sold at ' || coalesce(price_minor, 0) || ', owed ' || coalesce(amount_minor, 0)
from (
    select auction_id, leader_id, seller_id, currency_code, price_minor
    from books
    join auctions using (auction_id)
    where outcome = 1 and funding = 1
) as sold
full join (select * from power_transfers where kind = 3) as owed
    on owed.auction_id = sold.auction_id
where (leader_id, sold.seller_id, sold.currency_code, price_minor)
    is distinct from (bidder_id, owed.seller_id, owed.currency_code, amount_minor)
order by 1;

-- name: auctions_end_in_time
-- No auction is live a minute after its end, or announced a minute after its start.
select 'auction ' || auction_id, 'state ' || state || ', should end at ' || ends_at
from books
where (state = 3 and ends_at < clock_timestamp() - interval '1 minute')
    or (state = 2 and starts_at < clock_timestamp() - interval '1 minute')
order by 1;
