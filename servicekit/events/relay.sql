-- name: read_unsent
-- Reads the first rows that wait, from the id `floor` on, in order.
select id, topic, partition_key, payload, created_at
from outbox
where kafka_offset is null and id >= %(floor)s
order by id
limit %(row_count_max)s;

-- name: mark_sent
-- Marks the rows of one batch as sent and moves the positions of their logs. The ranges keep the
-- update to one partition and to a short stretch of its index.
with acknowledged as (
  select * from unnest(%(ids)s::bigint[], %(partitions)s::integer[], %(offsets)s::bigint[])
    as row (id, kafka_partition, kafka_offset)
), marked as (
  update outbox
  set kafka_partition = acknowledged.kafka_partition,
      kafka_offset = acknowledged.kafka_offset,
      sent_at = clock_timestamp()
  from acknowledged
  where outbox.id = acknowledged.id
    and outbox.id between %(id_min)s and %(id_max)s
    and outbox.created_at between %(created_at_min)s and %(created_at_max)s
    and outbox.kafka_offset is null
)
insert into outbox_position (topic, kafka_partition, topic_id, batch_offset, kafka_offset)
select * from unnest(
  %(log_topics)s::text[], %(log_partitions)s::integer[], %(log_topic_ids)s::text[],
  %(log_batch_offsets)s::bigint[], %(log_offsets)s::bigint[])
on conflict (topic, kafka_partition) do update
set topic_id = excluded.topic_id,
    batch_offset = excluded.batch_offset,
    kafka_offset = excluded.kafka_offset;

-- name: read_positions
-- Reads how far each log was written, and which log it was.
select topic, kafka_partition, topic_id, batch_offset, kafka_offset from outbox_position;

-- name: forget_log
-- Makes rows wait again that were in a log from `lost_from` on, which the broker no longer has.
with forgotten_log as (
  delete from outbox_position
  where topic = %(topic)s and kafka_partition = %(partition)s and %(lost_from)s = 0
), shortened_log as (
  update outbox_position
  set kafka_offset = %(lost_from)s - 1, batch_offset = least(batch_offset, %(lost_from)s - 1)
  where topic = %(topic)s and kafka_partition = %(partition)s and %(lost_from)s > 0
)
update outbox
set kafka_partition = null, kafka_offset = null, sent_at = null
where topic = %(topic)s and kafka_partition = %(partition)s and kafka_offset >= %(lost_from)s;

-- name: count_unsent
-- Counts what waits, up to a limit.
select count(*) from (select from outbox where kafka_offset is null limit 100000) as waiting;

-- name: make_partitions
-- Makes the partitions of the coming hours.
select outbox_make_partitions(ahead_hours => 3);

-- name: drop_partitions
-- Drops the partitions whose rows were sent long ago.
select outbox_drop_partitions(keep => make_interval(hours => %(keep_hours)s));
