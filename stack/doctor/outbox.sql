-- The outbox of any service. A row is a violation: (where, what).

-- name: events_are_sent
-- No event waits for longer than a minute.
select 'event ' || id || ' of ' || topic,
    'waits since ' || created_at
from outbox
where kafka_offset is null and created_at < clock_timestamp() - interval '1 minute'
order by id
limit 100;
