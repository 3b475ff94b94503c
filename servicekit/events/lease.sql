-- name: hold_lease
-- Takes the lease, or holds it longer; no row if another has it. Tells whether others want it too.
update outbox_lease
set holder = %(holder)s, expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
where holder = %(holder)s or expires_at < clock_timestamp()
returning contended_at > clock_timestamp() - make_interval(secs => %(lease_s)s);

-- name: contend_lease
-- Lets the holder know that there is another replica.
update outbox_lease set contended_at = clock_timestamp() where holder <> %(holder)s;

-- name: release_lease
-- Lets go of the lease, so that another need not wait for its end.
update outbox_lease set expires_at = '-infinity' where holder = %(holder)s;
