-- name: see_one_instant
-- Has the rest of the transaction see the book and its log as they were at one instant.
set transaction isolation level repeatable read, read only;

-- name: select_log
-- The bid log of an auction, oldest first: bids and, with the numbers of what they take back,
-- retractions.
select sequence, bid_id, bidder_id, maximum_minor, price_minor, leader_id, bid_count, placed_at,
       record_hash, won, retracted_at is not null, salt, null::bigint[]
from bids
where auction_id = %(auction_id)s
union all
select sequence, retraction_id, bidder_id, null, price_minor, leader_id, null, retracted_at,
       record_hash, null, null, salt, sequences
from retractions
where auction_id = %(auction_id)s
order by sequence;

-- name: select_bid
-- One bid of an auction, of a given bidder or of anyone, with the hash of the record before it.
select b.sequence, b.bid_id, b.bidder_id, b.maximum_minor, b.price_minor, b.leader_id, b.bid_count,
       b.placed_at, b.record_hash, b.won, b.retracted_at is not null, b.salt,
       coalesce((
           select record_hash
           from (
               (
                   select sequence, record_hash
                   from bids
                   where auction_id = b.auction_id and sequence < b.sequence
                   order by sequence desc
                   limit 1
               )
               union all
               (
                   select sequence, record_hash
                   from retractions
                   where auction_id = b.auction_id and sequence < b.sequence
                   order by sequence desc
                   limit 1
               )
           ) as earlier
           order by sequence desc
           limit 1
       ), '')
from bids as b
where b.auction_id = %(auction_id)s and b.bid_id = %(bid_id)s
  and (%(bidder_id)s::uuid is null or b.bidder_id = %(bidder_id)s);
