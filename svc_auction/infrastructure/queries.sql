-- name: database_time
-- The clock that decides: read after the locks, so that it is later than all that came before.
select clock_timestamp();

-- name: insert_auction
-- Adds a draft; nothing happens if the seller used the request id before.
insert into auctions (
    auction_id, seller_id, seller_name, request_id, body_hash, title, description, image_url,
    currency_code, opening_minor, reserve_minor, prices_from_minor, steps_minor, extend_within_ms,
    extend_by_ms, extensions_max, latest_end_after_ms, funding, format, buy_now_minor,
    buy_now_availability, drop_minor, drop_every_ms, floor_minor, confirm_above_factor,
    lot_duration_ms, show_id, bidder_limit_minor, created_at
)
values (
    %(auction_id)s, %(seller_id)s, %(seller_name)s, %(request_id)s, %(body_hash)s, %(title)s,
    %(description)s, %(image_url)s, %(currency_code)s, %(opening_minor)s, %(reserve_minor)s,
    %(prices_from_minor)s, %(steps_minor)s, %(extend_within_ms)s, %(extend_by_ms)s,
    %(extensions_max)s, %(latest_end_after_ms)s, %(funding)s, %(format)s, %(buy_now_minor)s,
    %(buy_now_availability)s, %(drop_minor)s, %(drop_every_ms)s, %(floor_minor)s,
    %(confirm_above_factor)s, %(lot_duration_ms)s, %(show_id)s, %(bidder_limit_minor)s,
    clock_timestamp()
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

-- name: lock_ending_soon
-- Auctions whose watchers are due to be told that the end is near, their books locked in id order.
select * from whole_auctions
where auction_id = any(
    array(
        select auction_id from books
        where state = 3 and ending_soon_at <= clock_timestamp()
        order by ending_soon_at
        limit %(limit)s
    )
)
and state = 3 and ending_soon_at <= clock_timestamp()
order by auction_id
for update;

-- name: select_watchers
-- Who watches the given auctions.
select auction_id, user_id
from watches
where auction_id = any(%s::uuid[])
order by auction_id, user_id;

-- name: note_ending_soon_told
-- Notes that the watchers of the given auctions were told.
update books
set ending_soon_at = null
where auction_id = any(%s::uuid[]);

-- name: seconds_to_next
-- How long until the next start, end or notice on this shard, in seconds; null if none is known.
select extract(epoch from least(
    (select min(ends_at) from books where state = 3),
    (select min(starts_at) from books where state = 2),
    (select min(ending_soon_at) from books where state = 3)
) - clock_timestamp())::float8;

-- name: update_books
-- Writes books as a whole.
update books as b
set state = d.state, outcome = d.outcome, sequence = d.sequence, price_minor = d.price_minor,
    leader_id = d.leader_id, leader_maximum_minor = d.leader_maximum_minor,
    held_minor = d.held_minor, bid_count = d.bid_count, extension_count = d.extension_count,
    starts_at = d.starts_at, ends_at = d.ends_at, announced_end_at = d.announced_end_at,
    paused_at = d.paused_at, paused_for = d.paused_for, ending_soon_at = d.ending_soon_at,
    log_head = d.log_head
from unnest(
    %s::uuid[], %s::smallint[], %s::smallint[], %s::bigint[], %s::bigint[], %s::uuid[],
    %s::bigint[], %s::bigint[], %s::integer[], %s::integer[], %s::timestamptz[],
    %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::interval[], %s::timestamptz[],
    %s::bytea[]
) as d (
    auction_id, state, outcome, sequence, price_minor, leader_id, leader_maximum_minor, held_minor,
    bid_count, extension_count, starts_at, ends_at, announced_end_at, paused_at, paused_for,
    ending_soon_at, log_head
)
where b.auction_id = d.auction_id;

-- name: update_listings
-- Writes the listing and the terms of an auction that was updated.
update auctions
set title = %(title)s, description = %(description)s, image_url = %(image_url)s,
    revision = %(revision)s, description_changed_at = %(description_changed_at)s,
    currency_code = %(currency_code)s, opening_minor = %(opening_minor)s,
    reserve_minor = %(reserve_minor)s, prices_from_minor = %(prices_from_minor)s,
    steps_minor = %(steps_minor)s, extend_within_ms = %(extend_within_ms)s,
    extend_by_ms = %(extend_by_ms)s, extensions_max = %(extensions_max)s,
    latest_end_after_ms = %(latest_end_after_ms)s, funding = %(funding)s, format = %(format)s,
    buy_now_minor = %(buy_now_minor)s, buy_now_availability = %(buy_now_availability)s,
    drop_minor = %(drop_minor)s, drop_every_ms = %(drop_every_ms)s, floor_minor = %(floor_minor)s,
    confirm_above_factor = %(confirm_above_factor)s, lot_duration_ms = %(lot_duration_ms)s,
    show_id = %(show_id)s, bidder_limit_minor = %(bidder_limit_minor)s
where auction_id = %(auction_id)s;

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

-- name: list_undated
-- One page of a shard's drafts or waiting lots, oldest first.
select * from whole_auctions
where state = %(state)s
  and (%(seller_id)s::uuid is null or seller_id = %(seller_id)s)
  and (created_at, auction_id) > (%(after_end)s, %(after_id)s::uuid)
order by created_at, auction_id
limit %(limit)s;

-- name: read_one_moment
-- Lets the statements that follow in this transaction all see the same moment.
set transaction isolation level repeatable read, read only;

-- name: list_bids
-- One page of an auction's bids, newest first.
select auction_id, sequence, epoch, bid_id, bidder_id, request_id, maximum_minor, price_minor,
       leader_id, bid_count, ends_at, placed_at, record_hash, won, retracted_at is not null
from bids
where auction_id = %s and sequence < %s
order by sequence desc
limit %s;

-- name: select_own_maximum
-- A bidder's highest maximum in an auction that counts; null if they have none there.
select max(maximum_minor)
from bids
where bidder_id = %s and auction_id = %s and retracted_at is null;
