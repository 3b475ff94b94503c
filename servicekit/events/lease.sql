-- name: hold_lease
-- Takes the lease, or holds it longer; no row if another has it.
update outbox_lease
set holder = %(holder)s, expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
where holder = %(holder)s or expires_at < clock_timestamp()
returning true;

-- name: release_lease
-- Lets go of the lease, so that another need not wait for its end.
update outbox_lease set expires_at = '-infinity' where holder = %(holder)s;
