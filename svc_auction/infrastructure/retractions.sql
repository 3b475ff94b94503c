-- name: select_recorded_retraction
-- The retraction that a bidder's request came to, with the bid that it named.
select auction_id, sequence, epoch, retraction_id, bidder_id, request_id, reason, bid_id, bid_ids,
       sequences, price_minor, leader_id, retracted_at, record_hash
from retractions
where bidder_id = %s and request_id = %s;

-- name: is_bids_request
-- Whether a bidder's request id was used for a bid.
select exists (select from bids where bidder_id = %s and request_id = %s);

-- name: list_standing_bids
-- All bids of an auction that count, oldest first.
select auction_id, sequence, epoch, bid_id, bidder_id, request_id, maximum_minor, price_minor,
       leader_id, bid_count, ends_at, placed_at, record_hash, won, false
from bids
where auction_id = %s and retracted_at is null
order by sequence;

-- name: lock_power
-- Locks all spending rows of the given bidders, in the order of the lanes, and says what is free.
select bidder_id, currency_code, allotted_minor - held_minor
from bidding_power
where bidder_id = any(%s::uuid[])
order by bidder_id, currency_code
for update;

-- name: insert_retractions
-- Appends to the bid log what was taken back.
insert into retractions (
    auction_id, sequence, epoch, retraction_id, bidder_id, request_id, reason, bid_id, bid_ids,
    sequences, price_minor, leader_id, retracted_at, record_hash, salt
)
values (
    %(auction_id)s, %(sequence)s, %(epoch)s, %(retraction_id)s, %(bidder_id)s, %(request_id)s,
    %(reason)s, %(bid_id)s, %(bid_ids)s::uuid[], %(sequences)s::bigint[], %(price_minor)s,
    %(leader_id)s, %(retracted_at)s, %(record_hash)s, %(salt)s
);

-- name: mark_retracted
-- Notes that bids no longer count.
update bids
set retracted_at = %s
where auction_id = %s and sequence = any(%s::bigint[]);

-- name: select_sealed_hold
-- What is held of a bidder's maximum in a sealed auction.
select held_minor
from sealed_bids
where auction_id = %s and bidder_id = %s;

-- name: lower_sealed_bid
-- Lets an earlier, lower maximum count in a sealed auction.
update sealed_bids
set maximum_minor = %(maximum_minor)s, held_minor = %(held_minor)s
where auction_id = %(auction_id)s and bidder_id = %(bidder_id)s;

-- name: delete_sealed_bid
-- Forgets a maximum in a sealed auction: nothing of the bidder's counts any more.
delete from sealed_bids
where auction_id = %s and bidder_id = %s;
