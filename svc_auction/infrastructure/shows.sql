-- name: database_time
-- The clock that decides: read after the locks, so that it is later than all that came before.
select clock_timestamp();

-- name: select_announced
-- The show that a seller announced under a request id, and the hash of that request's body.
select show_id, body_hash, seller_name, created_at
from shows
where seller_id = %s and request_id = %s;

-- name: insert_show
-- Adds a show without lots; nothing happens if the seller used the request id before.
insert into shows (
    show_id, seller_id, seller_name, request_id, body_hash, title, description, image_url, state,
    starts_at, limit_currency, bidder_limit_minor, created_at
)
values (
    %(show_id)s, %(seller_id)s, %(seller_name)s, %(request_id)s, %(body_hash)s, %(title)s,
    %(description)s, %(image_url)s, %(state)s, %(starts_at)s, %(limit_currency)s,
    %(bidder_limit_minor)s, %(created_at)s
)
on conflict (seller_id, request_id) do nothing
returning show_id;

-- name: lock_show
-- One show of a seller's, locked before anything of its lots is.
select show_id, seller_id, seller_name, title, description, image_url, state, starts_at, ended_at,
       lot_ids, limit_currency, bidder_limit_minor, revision, sequence, created_at
from shows
where show_id = %s and seller_id = %s
for update;

-- name: lock_lots
-- The lots of a show in the given states, their books locked in id order.
select * from whole_auctions
where show_id = %s and state = any(%s::smallint[])
order by auction_id
for update;

-- name: update_show
-- Writes a show as a whole.
update shows
set title = %(title)s, description = %(description)s, image_url = %(image_url)s, state = %(state)s,
    starts_at = %(starts_at)s, ended_at = %(ended_at)s, lot_ids = %(lot_ids)s::uuid[],
    limit_currency = %(limit_currency)s, bidder_limit_minor = %(bidder_limit_minor)s,
    revision = %(revision)s, sequence = %(sequence)s
where show_id = %(show_id)s;

-- name: update_limits
-- Writes the limit for bidders to lots of a show.
update auctions as a
set bidder_limit_minor = d.bidder_limit_minor
from unnest(%s::uuid[], %s::bigint[]) as d (auction_id, bidder_limit_minor)
where a.auction_id = d.auction_id;

-- name: select_currencies
-- The currencies of all lots that a show has had.
select distinct currency_code
from auctions
where show_id = %s;

-- name: select_added
-- The lot that a seller added under a request id, and the hash of that request's body.
select auction_id, body_hash, seller_name, created_at
from auctions
where seller_id = %s and request_id = %s;

-- name: select_show
-- One show, and whether a person has bookmarked it.
select show_id, seller_id, seller_name, title, description, image_url, state, starts_at, ended_at,
       lot_ids, limit_currency, bidder_limit_minor, revision, sequence, created_at,
       exists (
           select from bookmarks as b
           where b.show_id = shows.show_id and b.user_id = %(viewer_id)s::uuid
       )
from shows
where show_id = %(show_id)s;

-- name: select_lots
-- The given lots, whatever has become of them.
select * from whole_auctions
where auction_id = any(%s::uuid[]);

-- name: list_announced
-- One page of a shard's announced shows, soonest first.
select show_id, seller_id, seller_name, title, description, image_url, state, starts_at, ended_at,
       lot_ids, limit_currency, bidder_limit_minor, revision, sequence, created_at
from shows
where state = %(state)s
  and (%(seller_id)s::uuid is null or seller_id = %(seller_id)s)
  and (%(bookmarked_by)s::uuid is null or exists (
      select from bookmarks as b
      where b.show_id = shows.show_id and b.user_id = %(bookmarked_by)s
  ))
  and (starts_at, show_id) > (%(after_start)s, %(after_id)s::uuid)
order by starts_at, show_id
limit %(limit)s;

-- name: list_begun
-- One page of a shard's shows that are on or over, latest first.
select show_id, seller_id, seller_name, title, description, image_url, state, starts_at, ended_at,
       lot_ids, limit_currency, bidder_limit_minor, revision, sequence, created_at
from shows
where state = %(state)s
  and (%(seller_id)s::uuid is null or seller_id = %(seller_id)s)
  and (%(bookmarked_by)s::uuid is null or exists (
      select from bookmarks as b
      where b.show_id = shows.show_id and b.user_id = %(bookmarked_by)s
  ))
  and (starts_at, show_id) < (%(after_start)s, %(after_id)s::uuid)
order by starts_at desc, show_id desc
limit %(limit)s;

-- name: add_bookmark
-- Puts a show on a person's list, if there is such a show; once is enough.
insert into bookmarks (user_id, show_id)
select %(user_id)s, show_id
from shows
where show_id = %(show_id)s
on conflict do nothing;

-- name: remove_bookmark
-- Takes a show off a person's list.
delete from bookmarks
where user_id = %(user_id)s and show_id = %(show_id)s;

-- name: show_exists
-- Whether there is such a show.
select exists (select from shows where show_id = %s);
