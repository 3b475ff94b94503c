-- name: read_clock
-- The database's time, which decides.
select clock_timestamp();

-- name: add_person
-- A new account with the events of its creation; no row if the address is taken.
insert into people
    (user_id, email, display_name, password_hash, roles, shop_name, event_sequence, created_at)
values
    (%(user_id)s, %(email)s, %(display_name)s, %(password_hash)s, %(roles)s, %(shop_name)s,
     %(event_count)s, %(created_at)s)
on conflict (lower(email)) do nothing
returning event_sequence;

-- name: find_person
-- An account by its id.
select user_id, email, display_name, password_hash, roles, shop_name, created_at
from people
where user_id = %(user_id)s;

-- name: find_person_by_email
-- An account by its address, whatever the case.
select user_id, email, display_name, password_hash, roles, shop_name, created_at
from people
where lower(email) = lower(%(email)s);

-- name: lock_person
-- An account by its id, for a change.
select user_id, email, display_name, password_hash, roles, shop_name, created_at
from people
where user_id = %(user_id)s
for update;

-- name: save_person
-- A locked account's roles and shop, and as many sequences as there are new events.
update people
set roles = %(roles)s, shop_name = %(shop_name)s,
    event_sequence = event_sequence + %(event_count)s
where user_id = %(user_id)s
returning event_sequence;

-- name: replace_password_hash
-- A stronger hash, unless the password was changed meanwhile.
update people
set password_hash = %(new)s
where user_id = %(user_id)s and password_hash = %(old)s;

-- name: open_sign_in
-- A new sign-in.
insert into sign_ins (sign_in_id, user_id, expires_at)
values (%(sign_in_id)s, %(user_id)s, %(expires_at)s);

-- name: add_refresh_token
-- A refresh token that is good from now on.
insert into refresh_tokens (token_hash, sign_in_id, expires_at)
values (%(token_hash)s, %(sign_in_id)s, %(expires_at)s);

-- name: lock_sign_in
-- The sign-in that a refresh token belongs to, locked: its tokens change under this lock alone.
select sign_ins.sign_in_id, sign_ins.user_id, sign_ins.revoked_at
from sign_ins
join refresh_tokens using (sign_in_id)
where refresh_tokens.token_hash = %(token_hash)s
for update of sign_ins;

-- name: read_refresh_token
-- A refresh token and whether its successor is unused; read after its sign-in is locked, in a
-- statement of its own, because only that sees what the lock's last holder wrote.
select presented.expires_at, presented.used_at, presented.retried_at, presented.withdrawn_at,
       presented.successor_hash,
       successor.token_hash is not null and successor.used_at is null
from refresh_tokens as presented
left join refresh_tokens as successor on successor.token_hash = presented.successor_hash
where presented.token_hash = %(token_hash)s;

-- name: use_refresh_token
-- A refresh token has made its successor.
update refresh_tokens
set used_at = %(now)s, successor_hash = %(successor_hash)s
where token_hash = %(token_hash)s;

-- name: retry_refresh_token
-- A refresh token has made another successor.
update refresh_tokens
set retried_at = %(now)s, successor_hash = %(successor_hash)s
where token_hash = %(token_hash)s;

-- name: withdraw_refresh_token
-- A successor whose delivery failed; using it from now on is reuse.
update refresh_tokens
set withdrawn_at = %(now)s
where token_hash = %(token_hash)s;

-- name: extend_sign_in
-- A sign-in lives as long as its newest refresh token.
update sign_ins
set expires_at = %(expires_at)s
where sign_in_id = %(sign_in_id)s;

-- name: revoke_sign_in
-- The end of a sign-in with all of its refresh tokens.
update sign_ins
set revoked_at = %(now)s
where sign_in_id = %(sign_in_id)s and revoked_at is null;

-- name: commit_attempts_lazily
-- Attempts need not survive a crash of the database: do not wait for the disk.
set local synchronous_commit = off;

-- name: lock_attempts
-- The allowances with these keys, made where missing, locked in the order of the keys.
insert into sign_in_attempts as attempts (key, empty_at)
select drawn.key, clock_timestamp()
from unnest(%(keys)s::bytea[]) with ordinality as drawn (key, place)
order by drawn.place
on conflict (key) do update set empty_at = attempts.empty_at
returning key, empty_at, clock_timestamp();

-- name: save_attempts
-- When each locked allowance will be empty.
update sign_in_attempts as attempts
set empty_at = saved.empty_at
from unnest(%(keys)s::bytea[], %(empty_at)s::timestamptz[]) as saved (key, empty_at)
where attempts.key = saved.key;

-- name: sweep_attempts
-- Allowances that are empty: the same as none.
delete from sign_in_attempts
where key in (
    select key from sign_in_attempts
    where empty_at < clock_timestamp()
    limit %(count_max)s for update skip locked
);

-- name: sweep_refresh_tokens
-- Refresh tokens that have expired: unknown ones are refused alike.
delete from refresh_tokens
where token_hash in (
    select token_hash from refresh_tokens
    where expires_at < clock_timestamp()
    order by expires_at limit %(count_max)s for update skip locked
);

-- name: sweep_sign_ins
-- Sign-ins whose last refresh token has expired.
delete from sign_ins
where sign_in_id in (
    select sign_in_id from sign_ins
    where expires_at < clock_timestamp()
    order by expires_at limit %(count_max)s for update skip locked
);
