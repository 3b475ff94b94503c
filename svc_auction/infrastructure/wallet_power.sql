-- name: insert_allotment
-- Notes that power is asked for, before the wallet is asked; another process takes over in time.
insert into power_transfers (
    transfer_id, kind, state, bidder_id, currency_code, amount_minor, minimum_minor, next_try_at
)
values (%s, 1, 1, %s, %s, %s, %s, clock_timestamp() + interval '5 seconds');

-- name: finish_transfer
-- Marks a transfer as done or refused, once; returns nothing if somebody else did so before.
update power_transfers
set state = %s
where transfer_id = %s and state = 1
returning kind;

-- name: credit_power
-- Adds power that the wallet allotted.
insert into bidding_power (bidder_id, currency_code, allotted_minor)
values (%s, %s, %s)
on conflict (bidder_id, currency_code)
do update set allotted_minor = bidding_power.allotted_minor + excluded.allotted_minor,
              used_at = clock_timestamp();

-- name: claim_transfers
-- Claims transfers that are due for a try; whoever claims them has ten seconds.
update power_transfers as t
set next_try_at = clock_timestamp() + interval '10 seconds'
where t.transfer_id in (
    select transfer_id from power_transfers
    where state = 1 and next_try_at <= clock_timestamp()
    order by next_try_at
    limit %s
    for update skip locked
)
returning t.transfer_id, t.kind, t.bidder_id, t.currency_code, t.amount_minor, t.minimum_minor,
          t.auction_id, t.seller_id;

-- name: lock_idle_power
-- Spending rows with nothing held that nobody used for a while.
select bidder_id, currency_code, allotted_minor
from bidding_power
where held_minor = 0 and allotted_minor > 0
  and used_at < clock_timestamp() - make_interval(secs => %s)
order by bidder_id, currency_code
limit %s
for update skip locked;

-- name: return_power
-- Notes that idle power goes back to the wallet and takes it out of the spending rows.
with returned as (
    insert into power_transfers (transfer_id, kind, state, bidder_id, currency_code, amount_minor)
    select transfer_id, 2, 1, bidder_id, currency_code, amount_minor
    from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[])
        as d (transfer_id, bidder_id, currency_code, amount_minor)
    returning bidder_id, currency_code, amount_minor
)
update bidding_power as p
set allotted_minor = p.allotted_minor - returned.amount_minor
from returned
where p.bidder_id = returned.bidder_id and p.currency_code = returned.currency_code;
