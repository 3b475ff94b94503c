-- name: lock_books
-- Locks the books of the given auctions, always in id order, so that two lanes never deadlock.
select auction_id, state, outcome, epoch, sequence, price_minor, leader_id, leader_maximum_minor,
       held_minor, bid_count, extension_count, starts_at, ends_at, announced_end_at, paused_at,
       paused_for, ending_soon_at, log_head
from books
where auction_id = any(%s::uuid[])
order by auction_id
for update;

-- name: read_bench
-- Reads what a batch is decided on beside the locked books: the clock, whether any of its requests
-- was accepted before, whether any of its bidders is barred from anything, and the spending rows of
-- its bidders and of the present leaders, which it locks in id order.
with power as materialized (
    select bidder_id, currency_code, allotted_minor, held_minor
    from bidding_power
    where bidder_id = any(
        array(
            select unnest(%s::uuid[])
            union
            select leader_id from books
            where auction_id = any(%s::uuid[]) and leader_id is not null
        )
    )
    order by bidder_id, currency_code
    for update
)
select
    clock_timestamp(),
    exists (
        select from unnest(%s::uuid[], %s::uuid[]) as k (bidder_id, request_id)
        cross join lateral (
            select from bids
            where bids.bidder_id = k.bidder_id and bids.request_id = k.request_id
            limit 1
        ) as b
    ),
    exists (select from bars where bidder_id = any(%s::uuid[]) and barred),
    coalesce((
        select json_agg(json_build_array(bidder_id, currency_code, allotted_minor, held_minor))
        from power
    ), '[]');

-- name: select_terms
-- The terms of the given auctions; frozen once an auction is live.
select auction_id, seller_id, currency_code, opening_minor, reserve_minor, prices_from_minor,
       steps_minor, extend_within_ms, extend_by_ms, extensions_max, latest_end_after_ms, funding,
       format, buy_now_minor, buy_now_availability, drop_minor, drop_every_ms, floor_minor,
       confirm_above_factor, lot_duration_ms, show_id, bidder_limit_minor
from auctions
where auction_id = any(%s::uuid[]);

-- name: select_recorded_bids
-- The bids that were accepted earlier under the given (bidder, request) keys.
select b.auction_id, b.sequence, b.epoch, b.bid_id, b.bidder_id, b.request_id, b.maximum_minor,
       b.price_minor, b.leader_id, b.bid_count, b.ends_at, b.placed_at, b.record_hash, b.won,
       b.retracted_at is not null
from unnest(%s::uuid[], %s::uuid[]) as k (bidder_id, request_id)
cross join lateral (
    select * from bids
    where bids.bidder_id = k.bidder_id and bids.request_id = k.request_id
    limit 1
) as b;

-- name: select_bars
-- Which sellers' auctions are closed to the given bidders, and whether because they are linked.
select seller_id, bidder_id, max(kind)
from bars
where bidder_id = any(%s::uuid[]) and barred
group by seller_id, bidder_id;

-- name: select_card_holders
-- Which of the given bidders have a saved card.
select bidder_id from card_holders
where bidder_id = any(%s::uuid[]) and saved;

-- name: select_sealed_bids
-- What the given bidders have bid so far in the given sealed auctions.
select auction_id, bidder_id, maximum_minor
from sealed_bids
where auction_id = any(%s::uuid[]) and bidder_id = any(%s::uuid[]);

-- name: lock_show_limits
-- Lets one transaction at a time count what bidders are committed to in a show, in id order; the
-- show itself stays free for its seller.
select pg_advisory_xact_lock(hashtextextended(show_id::text, 0))
from unnest(%s::uuid[]) as s (show_id)
order by show_id;

-- name: select_committed
-- What the given bidders are committed to in the given shows: what they lead with, or have sealed,
-- in lots that are open, and what they have won.
select show_id, bidder_id, sum(committed_minor)::bigint
from (
    select a.show_id, b.leader_id as bidder_id,
           case when b.state = 4 then b.price_minor else b.leader_maximum_minor end
               as committed_minor
    from auctions as a
    join books as b using (auction_id)
    where a.show_id = any(%(show_ids)s::uuid[])
      and b.leader_id = any(%(bidder_ids)s::uuid[])
      and (b.outcome in (1, 5) or (b.state in (3, 6, 7) and a.format not in (5, 6)))
    union all
    select a.show_id, s.bidder_id, s.maximum_minor
    from auctions as a
    join books as b using (auction_id)
    join sealed_bids as s using (auction_id)
    where a.show_id = any(%(show_ids)s::uuid[])
      and s.bidder_id = any(%(bidder_ids)s::uuid[])
      and b.state in (3, 6, 7)
) as c
group by show_id, bidder_id;

-- name: write_batch
-- Appends a batch to the bid log and writes what it changed in the books and in the held power; the
-- insert into the outbox follows, so that all of it is one statement.
with logged as (
    insert into bids (
        auction_id, sequence, epoch, bid_id, bidder_id, request_id, maximum_minor, price_minor,
        leader_id, bid_count, ends_at, placed_at, record_hash, won, salt
    )
    select * from unnest(
        %s::uuid[], %s::bigint[], %s::integer[], %s::uuid[], %s::uuid[], %s::uuid[],
        %s::bigint[], %s::bigint[], %s::uuid[], %s::integer[], %s::timestamptz[],
        %s::timestamptz[], %s::bytea[], %s::boolean[], %s::bytea[]
    )
),
booked as (
    update books as b
    set state = d.state, outcome = d.outcome, sequence = d.sequence, price_minor = d.price_minor,
        leader_id = d.leader_id, leader_maximum_minor = d.leader_maximum_minor,
        held_minor = d.held_minor, bid_count = d.bid_count, extension_count = d.extension_count,
        ends_at = d.ends_at, ending_soon_at = d.ending_soon_at, log_head = d.log_head
    from unnest(
        %s::uuid[], %s::smallint[], %s::smallint[], %s::bigint[], %s::bigint[], %s::uuid[],
        %s::bigint[], %s::bigint[], %s::integer[], %s::integer[], %s::timestamptz[],
        %s::timestamptz[], %s::bytea[]
    ) as d (
        auction_id, state, outcome, sequence, price_minor, leader_id, leader_maximum_minor,
        held_minor, bid_count, extension_count, ends_at, ending_soon_at, log_head
    )
    where b.auction_id = d.auction_id
),
held as (
    update bidding_power as p
    set held_minor = d.held_minor, used_at = clock_timestamp()
    from unnest(%s::uuid[], %s::text[], %s::bigint[]) as d (bidder_id, currency_code, held_minor)
    where p.bidder_id = d.bidder_id and p.currency_code = d.currency_code
);

-- name: write_sealed_bids
-- Keeps each bidder's highest maximum in sealed auctions.
insert into sealed_bids (auction_id, bidder_id, currency_code, maximum_minor, held_minor)
select * from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::bigint[])
on conflict (auction_id, bidder_id)
do update set maximum_minor = excluded.maximum_minor, held_minor = excluded.held_minor;
