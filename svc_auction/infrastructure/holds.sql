-- name: release_holds
-- Releases what auctions held of bidders' power; less than nothing is held anew.
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

-- name: select_sealed_holds
-- What is held for the given auctions, bidder by bidder; none but sealed ones have any.
select auction_id, bidder_id, currency_code, held_minor
from sealed_bids
where auction_id = any(%s::uuid[]) and held_minor > 0;

-- name: clear_sealed_holds
-- Notes that nothing is held any more for auctions that are over.
update sealed_bids
set held_minor = 0
where auction_id = any(%s::uuid[]) and held_minor > 0;
