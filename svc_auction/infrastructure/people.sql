-- name: select_block_times
-- The shard's time, and when a seller last had their word about a bidder; null if never.
select clock_timestamp(), (
    select changed_at from bars where seller_id = %s and bidder_id = %s and kind = 1
);

-- name: write_bars
-- Notes whose auctions are closed to whom, unless a later word is there; of two at the same time,
-- the one that closes counts, so that all shards come to the same.
insert into bars (seller_id, bidder_id, kind, barred, changed_at)
select * from unnest(
    %s::uuid[], %s::uuid[], %s::smallint[], %s::boolean[], %s::timestamptz[]
)
on conflict (seller_id, bidder_id, kind)
do update set barred = excluded.barred, changed_at = excluded.changed_at
where (excluded.changed_at, excluded.barred) > (bars.changed_at, bars.barred);

-- name: write_card_holders
-- Notes who has a saved card, unless a later word is there; of two at the same time, the one that
-- there is none counts, so that all shards come to the same.
insert into card_holders (bidder_id, saved, changed_at)
select * from unnest(%s::uuid[], %s::boolean[], %s::timestamptz[])
on conflict (bidder_id)
do update set saved = excluded.saved, changed_at = excluded.changed_at
where (excluded.changed_at, not excluded.saved) > (card_holders.changed_at, not card_holders.saved);

-- name: list_bars
-- One page of all bars, by their keys.
select seller_id, bidder_id, kind, barred, changed_at
from bars
where (seller_id, bidder_id, kind) > (%s::uuid, %s::uuid, %s::smallint)
order by seller_id, bidder_id, kind
limit %s;

-- name: list_card_holders
-- One page of everybody whose cards are known of, by their ids.
select bidder_id, saved, changed_at
from card_holders
where bidder_id > %s::uuid
order by bidder_id
limit %s;
