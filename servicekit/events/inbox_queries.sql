-- name: take_in
-- Notes that the consumer has these events; returns those that it did not have before.
insert into inbox (consumer, event_id)
select %(consumer)s, event_id from unnest(%(event_ids)s::uuid[]) as event_id
on conflict do nothing
returning event_id;

-- name: forget_before
-- Forgets events that are too old to come again, some at a time.
delete from inbox
where consumer = %(consumer)s and event_id in (
  select event_id from inbox
  where consumer = %(consumer)s and event_id < %(oldest_id)s::uuid
  limit 10000);
