-- The inbox of one database: which events each consumer has handled, written in the transaction of
-- their effects, so that an event that comes again has none.
-- A service's Alembic migration executes this text once.

-- Event ids are UUIDs of version 7, in order of time: what is too old to come again is one range.
create table inbox (
  consumer text not null,
  event_id uuid not null,
  primary key (consumer, event_id)
);
