-- name: insert_watch
-- Puts an auction on a watch list; one that is there already keeps its place.
insert into watches (user_id, auction_id)
values (%s, %s)
on conflict (user_id, auction_id) do nothing;

-- name: delete_watch
-- Takes an auction off a watch list.
delete from watches
where user_id = %s and auction_id = %s;

-- name: list_watches
-- One page of a shard's part of a watch list, latest added first.
select w.added_at, a.*
from (
    select auction_id, added_at
    from watches
    where user_id = %(user_id)s
      and (added_at, auction_id) < (%(added_before)s, %(before_id)s::uuid)
    order by added_at desc, auction_id desc
    limit %(limit)s
) as w
join whole_auctions as a using (auction_id)
order by w.added_at desc, a.auction_id desc;
