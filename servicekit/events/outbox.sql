-- The outbox of one database: events that were committed with their cause and go to Kafka.
-- A service's Alembic migration executes this text once.

create sequence outbox_id_seq as bigint;

-- One row an event. Rows live in a partition of the hour they were written in (UTC), so that a day
-- later the hour is dropped whole. A row is sent when it has its place in Kafka's log.
create table outbox (
  id bigint not null default nextval('outbox_id_seq'),
  topic text not null,
  partition_key text not null,
  payload bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  kafka_partition integer,
  kafka_offset bigint,
  sent_at timestamptz
) partition by range (created_at);

-- The only index: what waits, in order. Marking a row as sent adds no entry to it.
create index outbox_unsent on outbox (id) where kafka_offset is null;

-- Takes the rows of an hour that has no partition, so that writing an event never fails for that.
create table outbox_overflow partition of outbox default;

-- How far each log was written by the relay, where the last batch began, and which log it was: a
-- topic that was lost and made again has another id.
create table outbox_position (
  topic text not null,
  kafka_partition integer not null,
  topic_id text not null,
  batch_offset bigint not null,
  kafka_offset bigint not null,
  primary key (topic, kafka_partition)
) with (fillfactor = 50);

-- Who relays at present: one row, held until it expires by this database's clock; and when another
-- replica last wanted to.
create table outbox_lease (
  only_one boolean primary key default true check (only_one),
  holder text not null default '',
  expires_at timestamptz not null default '-infinity',
  contended_at timestamptz not null default '-infinity'
) with (fillfactor = 50);
insert into outbox_lease default values;

-- Makes the partitions of this and the coming hours. Like the next function it gives up after half
-- a second behind other transactions, to be called again: events then go to the overflow.
create function outbox_make_partitions(ahead_hours integer) returns void language plpgsql as $$
declare
  this_hour constant timestamptz = date_trunc('hour', now(), 'UTC');
  starts_at timestamptz;
  partition_name text;
begin
  perform set_config('lock_timeout', '500ms', true);
  -- One at a time; of the transaction, so a connection pooler in between does not matter.
  perform pg_advisory_xact_lock(hashtext('outbox_partitions'));
  for starts_at in
    select generate_series(
      this_hour, this_hour + make_interval(hours => ahead_hours), interval '1 hour')
  loop
    partition_name = to_char(starts_at at time zone 'UTC', '"outbox_"YYYYMMDD"_"HH24');
    continue when to_regclass(partition_name) is not null;
    begin
      -- Attached, not created in place: that would stop everybody who writes events.
      execute format(
        'create table %I (like outbox including defaults) with ('
        'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, '
        'autovacuum_vacuum_insert_threshold = -1)', partition_name);
      execute format(
        'alter table outbox attach partition %I for values from (%L) to (%L)',
        partition_name, starts_at, starts_at + interval '1 hour');
    exception when check_violation then
      -- The overflow has rows of this hour already, and keeps the hour.
      null;
    end;
  end loop;
end
$$;

-- Drops the partitions whose rows are older than `keep` and all sent. A transaction of its own: it
-- locks from the top, as every reader does, so that nobody waits in a circle.
create function outbox_drop_partitions(keep interval) returns void language plpgsql as $$
declare
  partition_name text;
  has_unsent boolean;
begin
  perform set_config('lock_timeout', '500ms', true);
  perform pg_advisory_xact_lock(hashtext('outbox_partitions'));
  for partition_name in
    select child.relname
    from pg_inherits join pg_class as child on child.oid = pg_inherits.inhrelid
    where pg_inherits.inhparent = 'outbox'::regclass
      and child.relname <> 'outbox_overflow'
      and child.relname < to_char((now() - keep) at time zone 'UTC', '"outbox_"YYYYMMDD"_"HH24')
    order by child.relname
  loop
    lock table only outbox in access exclusive mode;
    execute format('select exists (select from %I where kafka_offset is null)', partition_name)
      into has_unsent;
    if not has_unsent then
      execute format('drop table %I', partition_name);
    end if;
  end loop;
  delete from outbox_overflow where kafka_offset is not null and created_at < now() - keep;
end
$$;

select outbox_make_partitions(ahead_hours => 3);
