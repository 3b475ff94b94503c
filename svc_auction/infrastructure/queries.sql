-- name: lock_books
-- Locks the books of the given auctions, always in id order, so that two lanes never deadlock.
select auction_id, state, outcome, epoch, sequence, price_minor, leader_id, leader_maximum_minor,
       held_minor, bid_count, extension_count, starts_at, ends_at, log_head
from books
where auction_id = any(%s::uuid[])
order by auction_id
for update;

-- name: database_time
-- The clock that decides: read after the locks, so that it is later than all that came before.
select clock_timestamp();

-- name: select_terms
-- The terms of the given auctions; frozen once an auction is live.
select auction_id, seller_id, currency_code, opening_minor, reserve_minor, prices_from_minor,
       steps_minor, extend_within_ms, extend_by_ms, extensions_max, funding
from auctions
where auction_id = any(%s::uuid[]);

-- name: select_recorded_bids
-- The bids that were accepted earlier under the given (bidder, request) keys.
select b.auction_id, b.sequence, b.epoch, b.bid_id, b.bidder_id, b.request_id, b.maximum_minor,
       b.price_minor, b.leader_id, b.bid_count, b.ends_at, b.placed_at, b.record_hash
from unnest(%s::uuid[], %s::uuid[]) as k (bidder_id, request_id)
cross join lateral (
    select * from bids
    where bids.bidder_id = k.bidder_id and bids.request_id = k.request_id
    limit 1
) as b;

-- name: read_bench
-- Reads what a batch is decided on beside the locked books: the clock, whether any of its requests
-- was accepted before, and the spending rows of its bidders and of the present leaders, which it
-- locks in id order.
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
    coalesce((
        select json_agg(json_build_array(bidder_id, currency_code, allotted_minor, held_minor))
        from power
    ), '[]');

-- name: write_batch
-- Appends a batch to the bid log and writes what it changed in the books and in the held power; the
-- insert into the outbox follows, so that all of it is one statement.
with logged as (
    insert into bids (
        auction_id, sequence, epoch, bid_id, bidder_id, request_id, maximum_minor, price_minor,
        leader_id, bid_count, ends_at, placed_at, record_hash
    )
    select * from unnest(
        %s::uuid[], %s::bigint[], %s::integer[], %s::uuid[], %s::uuid[], %s::uuid[],
        %s::bigint[], %s::bigint[], %s::uuid[], %s::integer[], %s::timestamptz[],
        %s::timestamptz[], %s::bytea[]
    )
),
booked as (
    update books as b
    set sequence = d.sequence, price_minor = d.price_minor, leader_id = d.leader_id,
        leader_maximum_minor = d.leader_maximum_minor, held_minor = d.held_minor,
        bid_count = d.bid_count, extension_count = d.extension_count, ends_at = d.ends_at,
        log_head = d.log_head
    from unnest(
        %s::uuid[], %s::bigint[], %s::bigint[], %s::uuid[], %s::bigint[], %s::bigint[],
        %s::integer[], %s::integer[], %s::timestamptz[], %s::bytea[]
    ) as d (
        auction_id, sequence, price_minor, leader_id, leader_maximum_minor, held_minor,
        bid_count, extension_count, ends_at, log_head
    )
    where b.auction_id = d.auction_id
),
held as (
    update bidding_power as p
    set held_minor = d.held_minor, used_at = clock_timestamp()
    from unnest(%s::uuid[], %s::text[], %s::bigint[]) as d (bidder_id, currency_code, held_minor)
    where p.bidder_id = d.bidder_id and p.currency_code = d.currency_code
);

-- name: insert_auction
-- Adds a draft; nothing happens if the seller used the request id before.
insert into auctions (
    auction_id, seller_id, seller_name, request_id, body_hash, title, description, image_url,
    currency_code, opening_minor, reserve_minor, prices_from_minor, steps_minor, extend_within_ms,
    extend_by_ms, extensions_max, funding, created_at
)
values (
    %(auction_id)s, %(seller_id)s, %(seller_name)s, %(request_id)s, %(body_hash)s, %(title)s,
    %(description)s, %(image_url)s, %(currency_code)s, %(opening_minor)s, %(reserve_minor)s,
    %(prices_from_minor)s, %(steps_minor)s, %(extend_within_ms)s, %(extend_by_ms)s,
    %(extensions_max)s, %(funding)s, clock_timestamp()
)
on conflict (seller_id, request_id) do nothing
returning created_at;

-- name: insert_book
-- Opens the book of a new draft with its first event.
insert into books (auction_id, state, sequence, price_minor)
values (%(auction_id)s, 1, 1, %(opening_minor)s);

-- name: select_created
-- The auction that a seller created under a request id, and the hash of that request's body.
select auction_id, body_hash
from auctions
where seller_id = %s and request_id = %s;

-- name: select_auction
-- One auction as a whole.
select * from whole_auctions
where auction_id = %s;

-- name: lock_auction
-- One auction as a whole, its book locked.
select * from whole_auctions
where auction_id = %s
for update;

-- name: lock_due
-- Auctions whose end or start has come, their books locked in id order, both kinds in one go so
-- that no lane can stand between them; waiting out a lane, re-checked after.
select * from whole_auctions
where auction_id = any(
    array(
        select auction_id from books
        where state = 3 and ends_at <= clock_timestamp()
        order by ends_at
        limit %(limit)s
    ) || array(
        select auction_id from books
        where state = 2 and starts_at <= clock_timestamp()
        order by starts_at
        limit %(limit)s
    )
)
and (
    (state = 3 and ends_at <= clock_timestamp())
    or (state = 2 and starts_at <= clock_timestamp())
)
order by auction_id
for update;

-- name: seconds_to_next
-- How long until the next start or end on this shard, in seconds; null if none is known.
select extract(epoch from least(
    (select min(ends_at) from books where state = 3),
    (select min(starts_at) from books where state = 2)
) - clock_timestamp())::float8;

-- name: update_books
-- Writes books that changed their state.
update books as b
set state = d.state, outcome = d.outcome, sequence = d.sequence, held_minor = d.held_minor,
    starts_at = d.starts_at, ends_at = d.ends_at
from unnest(
    %s::uuid[], %s::smallint[], %s::smallint[], %s::bigint[], %s::bigint[], %s::timestamptz[],
    %s::timestamptz[]
) as d (auction_id, state, outcome, sequence, held_minor, starts_at, ends_at)
where b.auction_id = d.auction_id;

-- name: release_holds
-- Releases what auctions held of their leaders' power.
update bidding_power as p
set held_minor = p.held_minor - d.held_minor, used_at = clock_timestamp()
from (
    select bidder_id, currency_code, sum(held_minor)::bigint as held_minor
    from unnest(%s::uuid[], %s::text[], %s::bigint[]) as h (bidder_id, currency_code, held_minor)
    group by bidder_id, currency_code
) as d
where p.bidder_id = d.bidder_id and p.currency_code = d.currency_code;

-- name: lock_power_of
-- Locks the spending rows of the given bidders in id order.
select bidder_id
from bidding_power
where bidder_id = any(%s::uuid[])
order by bidder_id, currency_code
for update;

-- name: spend_power
-- Takes the hammer prices out of the winners' power, in the transaction that ends the auctions.
update bidding_power as p
set allotted_minor = p.allotted_minor - d.price_minor
from (
    select bidder_id, currency_code, sum(price_minor)::bigint as price_minor
    from unnest(%s::uuid[], %s::text[], %s::bigint[]) as h (bidder_id, currency_code, price_minor)
    group by bidder_id, currency_code
) as d
where p.bidder_id = d.bidder_id and p.currency_code = d.currency_code;

-- name: insert_settlements
-- Notes what the wallet must pay to the sellers.
insert into power_transfers (
    transfer_id, kind, state, bidder_id, currency_code, amount_minor, auction_id, seller_id
)
select transfer_id, 3, 1, bidder_id, currency_code, amount_minor, auction_id, seller_id
from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::uuid[], %s::uuid[])
    as d (transfer_id, bidder_id, currency_code, amount_minor, auction_id, seller_id);

-- name: list_running
-- One page of a shard's announced or live auctions, soonest end first.
select * from whole_auctions
where state = %(state)s
  and (%(seller_id)s::uuid is null or seller_id = %(seller_id)s)
  and (ends_at, auction_id) > (%(after_end)s, %(after_id)s::uuid)
order by ends_at, auction_id
limit %(limit)s;

-- name: list_over
-- One page of a shard's ended or cancelled auctions, latest end first.
select * from whole_auctions
where state = %(state)s
  and (%(seller_id)s::uuid is null or seller_id = %(seller_id)s)
  and (ends_at, auction_id) < (%(after_end)s, %(after_id)s::uuid)
order by ends_at desc, auction_id desc
limit %(limit)s;

-- name: list_drafts
-- One page of a seller's drafts on a shard, oldest first.
select * from whole_auctions
where state = %(state)s
  and seller_id = %(seller_id)s
  and (created_at, auction_id) > (%(after_end)s, %(after_id)s::uuid)
order by created_at, auction_id
limit %(limit)s;

-- name: list_bids
-- One page of an auction's bids, newest first.
select auction_id, sequence, epoch, bid_id, bidder_id, request_id, maximum_minor, price_minor,
       leader_id, bid_count, ends_at, placed_at, record_hash
from bids
where auction_id = %s and sequence < %s
order by sequence desc
limit %s;

-- name: select_own_maximum
-- A bidder's highest maximum in an auction; null before their first bid there.
select max(maximum_minor)
from bids
where bidder_id = %s and auction_id = %s;
