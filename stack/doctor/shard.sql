-- One auction shard: books, bids, and what funds them. A row is a violation: (where, what).
-- States: 3 live, 4 ended, 5 cancelled, 6 paused, 7 queued. Formats: 4 Dutch, 5 and 6 sealed.
-- Funding: 1 out of the wallet.

-- name: held_power_is_what_auctions_hold
-- What is held of a bidder's power is the sum of the holds of auctions and of their sealed bids.
select 'bidder ' || coalesce(p.bidder_id, h.bidder_id) || ' in '
    || coalesce(p.currency_code, h.currency_code),
    coalesce(p.held_minor, 0) || ' is held, auctions hold ' || coalesce(h.held_minor, 0)
from bidding_power as p
full join (
    select bidder_id, currency_code, sum(held_minor) as held_minor
    from (
        select leader_id as bidder_id, currency_code, held_minor
        from books
        join auctions using (auction_id)
        union all
        select bidder_id, currency_code, held_minor
        from sealed_bids
    ) as each_hold
    where held_minor <> 0
    group by bidder_id, currency_code
) as h on h.bidder_id = p.bidder_id and h.currency_code = p.currency_code
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
-- An open auction that asks for funds holds its leader's maximum, unless it is sealed; any other
-- auction holds nothing.
select 'auction ' || auction_id,
    'holds ' || held_minor || ', state ' || state || ', the leader''s maximum is '
    || leader_maximum_minor
from books
join auctions using (auction_id)
where held_minor <>
    case
        when state in (3, 6, 7) and funding = 1 and format not in (5, 6) and leader_id is not null
            then leader_maximum_minor
        else 0
    end
order by 1;

-- name: sealed_bids_are_the_bidders_maxima
-- In a sealed auction each bidder's highest bid that stands counts, and no other auction has such.
select 'auction ' || coalesce(kept.auction_id, placed.auction_id) || ', bidder '
    || coalesce(kept.bidder_id, placed.bidder_id),
    coalesce(kept.maximum_minor, 0) || ' counts, the highest bid is '
    || coalesce(placed.maximum_minor, 0)
from sealed_bids as kept
full join (
    select bids.auction_id, bids.bidder_id, auctions.currency_code,
        max(bids.maximum_minor) as maximum_minor
    from bids
    join auctions using (auction_id)
    where format in (5, 6) and retracted_at is null
    group by bids.auction_id, bids.bidder_id, auctions.currency_code
) as placed on placed.auction_id = kept.auction_id and placed.bidder_id = kept.bidder_id
where (kept.currency_code, kept.maximum_minor)
    is distinct from (placed.currency_code, placed.maximum_minor)
order by 1;

-- name: sealed_bids_are_held_until_the_end
-- An open sealed auction that asks for funds holds every bidder's maximum; any other nothing.
select 'auction ' || auction_id || ', bidder ' || bidder_id,
    'holds ' || sealed_bids.held_minor || ' of ' || maximum_minor || ', state ' || state
from sealed_bids
join auctions using (auction_id)
join books using (auction_id)
where sealed_bids.held_minor <>
    case when state in (3, 6, 7) and funding = 1 then maximum_minor else 0 end
order by 1;

-- name: bid_log_is_chained
-- Every record of a bid log, bid or retraction, carries the hash of itself and of the one before.
select 'auction ' || auction_id || ', record ' || sequence, 'its hash does not fit its content'
from (
    select auction_id, sequence, record_hash,
        sha256(
            lag(record_hash, 1, decode(repeat('00', 32), 'hex')) over log
            || uuid_send(auction_id) || int8send(sequence) || content
        ) as recomputed_hash
    from (
        select auction_id, sequence, record_hash,
            uuid_send(bid_id) || uuid_send(bidder_id)
            || int8send(maximum_minor) || int8send(price_minor)
            || int8send((extract(epoch from placed_at) * 1000000)::bigint) || salt as content
        from bids
        union all
        select auction_id, sequence, record_hash,
            'retraction'::bytea || uuid_send(retraction_id) || uuid_send(bidder_id)
            || int8send(price_minor)
            || int8send((extract(epoch from retracted_at) * 1000000)::bigint)
            || coalesce((
                select string_agg(int8send(number), ''::bytea order by number)
                from unnest(sequences) as number
            ), '') || salt
        from retractions
    ) as contents
    window log as (partition by auction_id order by sequence)
) as records
where record_hash <> recomputed_hash
order by auction_id, sequence;

-- name: books_end_with_their_last_record
-- A book has the price, leader and hash of the last record of its log, the count of the bids that
-- stand, and a sequence not before it.
select 'auction ' || books.auction_id, 'its book does not agree with the last record of its log'
from books
join auctions using (auction_id)
left join (
    select auction_id, count(*) as counted
    from bids
    where retracted_at is null
    group by auction_id
) as tally using (auction_id)
left join lateral (
    (
        select sequence, price_minor, leader_id, record_hash
        from bids
        where bids.auction_id = books.auction_id
        order by sequence desc
        limit 1
    )
    union all
    (
        select sequence, price_minor, leader_id, record_hash
        from retractions
        where retractions.auction_id = books.auction_id
        order by sequence desc
        limit 1
    )
    order by sequence desc
    limit 1
) as last_record on true
where (books.bid_count, books.price_minor, books.leader_id, books.log_head)
    is distinct from (
        coalesce(tally.counted, 0),
        coalesce(last_record.price_minor, auctions.opening_minor),
        last_record.leader_id,
        coalesce(last_record.record_hash, '')
    )
    or books.sequence < coalesce(last_record.sequence, 0)
order by 1;

-- name: retractions_take_back_their_own_bids
-- A bid is marked as taken back exactly if one retraction of its bidder's, after it, names it.
select 'auction ' || coalesce(b.auction_id, r.auction_id) || ', bid '
    || coalesce(b.sequence, r.sequence),
    'marked at ' || coalesce(b.retracted_at::text, 'no time') || ', named in '
    || coalesce(r.times, 0) || ' retractions'
from bids as b
full join (
    select auction_id, bidder_id, named.bid_id, named.sequence, min(retractions.sequence) as first,
        min(retracted_at) as retracted_at, count(*) as times
    from retractions
    cross join lateral unnest(bid_ids, sequences) as named (bid_id, sequence)
    group by auction_id, bidder_id, named.bid_id, named.sequence
) as r on r.auction_id = b.auction_id and r.sequence = b.sequence and r.bid_id = b.bid_id
    and r.bidder_id = b.bidder_id and r.first > b.sequence
where b.retracted_at is distinct from r.retracted_at or r.times > 1
    or (b.auction_id is null and r.auction_id is not null)
order by 1;

-- name: no_bid_lowers_a_price
-- From record to record the price of an auction falls by a retraction alone.
select 'auction ' || auction_id || ', bid ' || sequence,
    'the price falls from ' || price_before_minor || ' to ' || price_minor
from (
    select auction_id, sequence, price_minor, is_bid,
        lag(price_minor) over (partition by auction_id order by sequence) as price_before_minor
    from (
        select auction_id, sequence, price_minor, true as is_bid from bids
        union all
        select auction_id, sequence, price_minor, false from retractions
    ) as records
) as priced
where is_bid and price_minor < price_before_minor
order by auction_id, sequence;

-- name: bids_fall_within_their_auction
-- Bids were placed in the order of their sequence and before the end; after the start, but for lots
-- of a show, which take bids ahead unless their price falls.
select 'auction ' || auction_id || ', bid ' || sequence, 'placed at ' || placed_at
from (
    select b.auction_id, b.sequence, b.placed_at, books.starts_at,
        show_id is not null and format <> 4 as may_be_ahead,
        case when books.state = 4 then books.ends_at else b.ends_at end as ended_at,
        lag(b.placed_at) over (partition by b.auction_id order by b.sequence) as placed_before_at
    from bids as b
    join auctions using (auction_id)
    join books using (auction_id)
) as timed
where placed_at < placed_before_at or placed_at > ended_at
    or (not may_be_ahead and (starts_at is null or placed_at < starts_at))
order by auction_id, sequence;

-- name: requests_count_once
-- One request id of one bidder is at most one bid, and at most one retraction.
select 'bidder ' || bidder_id, count(*) || ' ' || kind || ' for the request ' || request_id
from (
    select 'bids' as kind, bidder_id, request_id from bids
    union all
    select 'retractions', bidder_id, request_id from retractions
) as requests
group by kind, bidder_id, request_id
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
-- Bought now by a purchase; sold if the leader reaches the reserve, else reserve not met; no bids
-- without one; none before the end.
select 'auction ' || auction_id,
    'state ' || state || ', outcome ' || coalesce(outcome::text, 'none')
    || ', ' || bid_count || ' bids'
from books
join auctions using (auction_id)
where outcome is distinct from case
    when state = 5 then 4
    when state <> 4 then null
    when exists (select from bids where bids.auction_id = books.auction_id and won)
        then case when format = 4 then 1 else 5 end
    when leader_id is null then 3
    when leader_maximum_minor < reserve_minor then 2
    else 1
end
order by 1;

-- name: a_bid_that_won_ended_its_auction
-- A purchase, and the first bid on a falling price, is the last bid, and its auction is over.
select 'auction ' || auction_id || ', bid ' || bids.sequence, 'it won, and the auction went on'
from bids
join books using (auction_id)
where won and (
    state <> 4 or bids.placed_at <> books.ends_at or exists (
        select from bids as later
        where later.auction_id = bids.auction_id and later.sequence > bids.sequence
    )
)
order by auction_id, bids.sequence;

-- name: winners_have_the_highest_maximum
-- A book's leader placed the highest maximum of the bids that stand, the earlier of two equal ones;
-- a purchase leads at its price, whatever the others bid.
select 'auction ' || auction_id,
    'its leader''s maximum is ' || leader_maximum_minor || ', the highest '
    || coalesce(top.maximum_minor, 0)
from books
join auctions using (auction_id)
left join lateral (
    select bidder_id,
        case when won and format <> 4 then buy_now_minor else maximum_minor end as maximum_minor
    from bids
    where bids.auction_id = books.auction_id and retracted_at is null
    order by won desc, maximum_minor desc, sequence
    limit 1
) as top on true
where (leader_id, leader_maximum_minor)
    is distinct from (top.bidder_id, coalesce(top.maximum_minor, 0))
order by 1;

-- name: sold_means_one_settlement
-- Each funded sale owes its price to the seller once; nothing else is owed.
select 'auction ' || coalesce(sold.auction_id, owed.auction_id),
    'sold at ' || coalesce(price_minor, 0) || ', owed ' || coalesce(amount_minor, 0)
from (
    select auction_id, leader_id, seller_id, currency_code, price_minor
    from books
    join auctions using (auction_id)
    where outcome in (1, 5) and funding = 1
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
