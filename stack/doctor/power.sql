-- What the wallet and a shard say about the same power, to be compared in power.py.

-- name: power_on_the_shard
-- What a shard may hold of each bidder's money, and whose money a transfer still moves.
select bidder_id, currency_code, allotted_minor from bidding_power;

-- name: transfers_of_the_shard
-- The movements that the shard knows of, by the cause under which the ledger has them.
select case when kind = 3 then auction_id else transfer_id end,
    case kind when 1 then 'ALLOTMENT' when 2 then 'RETURN' else 'SETTLEMENT' end,
    case state when 1 then 'OPEN' when 2 then 'DONE' else 'REFUSED' end,
    bidder_id, currency_code, amount_minor, minimum_minor
from power_transfers;

-- name: power_in_the_ledger
-- What the ledger has lent to a shard of each person's money.
select owner_id, currency_code, balance_minor
from ledger_accounts
where kind = 'BIDDING_POWER' and shard = %s;

-- name: transfers_in_the_ledger
-- What the ledger moved to a shard, or from it.
select t.cause_id, t.kind, a.owner_id, p.currency_code, abs(p.amount_minor)
from ledger_transfers as t
join ledger_postings as p using (transfer_id)
join ledger_accounts as a using (account_id)
where a.kind = 'BIDDING_POWER' and a.shard = %s;

-- name: shards_in_the_ledger
-- The shards that the ledger has lent to.
select distinct shard from ledger_accounts where kind = 'BIDDING_POWER' and balance_minor <> 0;
