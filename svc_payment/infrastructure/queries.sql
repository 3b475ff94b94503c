-- name: read_balances
-- A person's money per currency; the bidding power is the sum over the shards.
select currency_code,
    coalesce(sum(balance_minor) filter (where kind = 'AVAILABLE'), 0)::bigint,
    coalesce(sum(balance_minor) filter (where kind = 'BIDDING_POWER'), 0)::bigint,
    coalesce(sum(balance_minor) filter (where kind = 'PENDING_EARNINGS'), 0)::bigint
from ledger_accounts
where owner_id = %(user_id)s
group by currency_code
order by currency_code;

-- name: lock_balances
-- Locks accounts in id order, so that two transactions never wait for each other.
select account_id, balance_minor
from ledger_accounts
where account_id = any(%(account_ids)s::uuid[])
order by account_id
for update;

-- name: open_accounts
-- Opens the accounts that do not exist, in id order as well.
insert into ledger_accounts (account_id, kind, owner_id, shard, currency_code)
select account_id, kind, owner_id, shard, currency_code
from unnest(
    %(account_ids)s::uuid[], %(kinds)s::text[], %(owner_ids)s::uuid[],
    %(shards)s::smallint[], %(currency_codes)s::text[]
) as account (account_id, kind, owner_id, shard, currency_code)
order by account_id
on conflict (account_id) do nothing;

-- name: insert_transfer
-- Appends a transfer with its postings; triggers change the balances and check the sums.
with transfer as (
    insert into ledger_transfers (transfer_id, kind, cause_id, posting_count)
    values (
        %(transfer_id)s, %(kind)s, %(cause_id)s, cardinality(%(account_ids)s::uuid[])
    )
    returning transfer_id
)
insert into ledger_postings (transfer_id, position, account_id, currency_code, amount_minor)
select transfer.transfer_id, posting.position, posting.account_id, posting.currency_code,
    posting.amount_minor
from transfer, unnest(
    %(account_ids)s::uuid[], %(currency_codes)s::text[], %(amounts_minor)s::bigint[]
) with ordinality as posting (account_id, currency_code, amount_minor, position);

-- name: insert_settlement
-- Notes that an auction is paid; inserts nothing if it was before.
insert into settlements (auction_id, winner_id, seller_id, shard, currency_code, amount_minor)
values (
    %(auction_id)s, %(winner_id)s, %(seller_id)s, %(shard)s, %(currency_code)s, %(amount_minor)s
)
on conflict (auction_id) do nothing;

-- name: begin_command
-- Takes a command's place; a duplicate waits here until the first is committed or undone.
insert into command_results (principal, method, request_id, body_hash)
values (%(principal)s, %(method)s, %(request_id)s, %(body_hash)s)
on conflict (principal, method, request_id) do nothing;

-- name: complete_command
-- Stores the answer of a command whose place was taken in this transaction.
update command_results set response = %(response)s
where principal = %(principal)s and method = %(method)s and request_id = %(request_id)s;

-- name: insert_answer
-- Stores an answer unless there is one.
insert into command_results (
    principal, method, request_id, body_hash, response, refusal_reason, refusal_facts
)
values (
    %(principal)s, %(method)s, %(request_id)s, %(body_hash)s, %(response)s,
    %(refusal_reason)s, %(refusal_facts)s
)
on conflict (principal, method, request_id) do nothing;

-- name: read_answer
-- The first answer of a command.
select body_hash, response, refusal_reason, refusal_facts
from command_results
where principal = %(principal)s and method = %(method)s and request_id = %(request_id)s;

-- name: insert_deposit
-- Opens a deposit unless its command did so before.
insert into deposits (
    deposit_id, user_id, request_id, body_hash, currency_code, amount_minor, payment_method_id
)
values (
    %(deposit_id)s, %(user_id)s, %(request_id)s, %(body_hash)s, %(currency_code)s,
    %(amount_minor)s, %(payment_method_id)s
)
on conflict (user_id, request_id) do nothing;

-- name: lock_deposit_of_command
-- Locks the deposit that a command opened.
select deposit_id, body_hash
from deposits
where user_id = %(user_id)s and request_id = %(request_id)s
for update;

-- name: lock_deposit
-- Locks a deposit and reads it, with its age and its latest attempt, by the database's clock.
select user_id, currency_code, amount_minor, payment_method_id, created_at,
    extract(epoch from clock_timestamp() - created_at)::float8, state, payment_id,
    client_secret, failure, failure_code, attempt_count,
    coalesce(attempt_expires_at > clock_timestamp(), false), attempt_answered
from deposits
where deposit_id = %(deposit_id)s
for update;

-- name: save_deposit
-- Writes the state of a locked deposit.
update deposits
set state = %(state)s, payment_id = %(payment_id)s, client_secret = %(client_secret)s,
    failure = %(failure)s, failure_code = %(failure_code)s,
    decided_at = case when %(is_decided)s then coalesce(decided_at, clock_timestamp()) end
where deposit_id = %(deposit_id)s;

-- name: begin_attempt
-- Notes that the processor is being asked, for at most the lease.
update deposits
set attempt_count = attempt_count + 1, attempt_answered = false, asked_at = clock_timestamp(),
    attempt_expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
where deposit_id = %(deposit_id)s
returning attempt_count;

-- name: end_attempt
-- Notes how the latest attempt ended; one that a later attempt has replaced changes nothing.
update deposits
set attempt_expires_at = null, attempt_answered = %(was_answered)s, asked_at = clock_timestamp()
where deposit_id = %(deposit_id)s and attempt_count = %(number)s;

-- name: read_undecided_deposits
-- Deposits that nobody asked about for a while: at least idle_s, and a tenth of their age.
select deposit_id
from deposits
where decided_at is null
    and asked_at < clock_timestamp()
        - greatest(make_interval(secs => %(idle_s)s), (clock_timestamp() - created_at) / 10)
    and coalesce(attempt_expires_at < clock_timestamp(), true)
order by asked_at
limit %(count_max)s;

-- name: insert_stripe_event
-- Notes that an event was taken; inserts nothing if it was before.
insert into stripe_events (event_id, event_type, deposit_id)
values (%(event_id)s, %(event_type)s, %(deposit_id)s)
on conflict (event_id) do nothing;

-- name: read_clock
-- The database's time.
select clock_timestamp();

-- name: verify_balances
-- Accounts whose balance is not the sum of their postings.
select account_id, kind, currency_code, balance_minor, posted_minor
from (
    select account.account_id, account.kind, account.currency_code, account.balance_minor,
        coalesce(sum(posting.amount_minor), 0)::bigint as posted_minor
    from ledger_accounts as account
    left join ledger_postings as posting using (account_id)
    group by account.account_id
) as account
where balance_minor <> posted_minor
    or (balance_minor < 0 and kind <> 'PROCESSOR_CLEARING')
order by account_id;

-- name: verify_transfers
-- Transfers that do not sum to zero per currency or lack postings.
select transfer.transfer_id, transfer.kind
from ledger_transfers as transfer
left join lateral (
    select count(*) as posting_count,
        coalesce(bool_or(currency.sum_minor <> 0), false) as is_unbalanced
    from ledger_postings as posting
    left join lateral (
        select sum(other.amount_minor) as sum_minor
        from ledger_postings as other
        where other.transfer_id = posting.transfer_id
            and other.currency_code = posting.currency_code
    ) as currency on true
    where posting.transfer_id = transfer.transfer_id
) as posted on true
where posted.posting_count <> transfer.posting_count or posted.is_unbalanced
order by transfer.transfer_id;

-- name: verify_deposits
-- Deposits that succeeded without their one transfer of their amount, or have one without success.
select deposit.deposit_id, deposit.state
from deposits as deposit
left join ledger_transfers as transfer
    on transfer.kind = 'DEPOSIT' and transfer.cause_id = deposit.deposit_id
left join ledger_postings as posting
    on posting.transfer_id = transfer.transfer_id and posting.amount_minor > 0
where (deposit.state = 'SUCCEEDED') <> (transfer.transfer_id is not null)
    or (
        transfer.transfer_id is not null
        and (posting.amount_minor, posting.currency_code)
        is distinct from (deposit.amount_minor, deposit.currency_code)
    )
order by deposit.deposit_id;

-- name: verify_settlements
-- Settlements without their one transfer of their amount, and such transfers without settlement.
select coalesce(settlement.auction_id, transfer.cause_id)
from settlements as settlement
full join (
    select transfer.cause_id, posting.amount_minor, posting.currency_code
    from ledger_transfers as transfer
    join ledger_postings as posting
        on posting.transfer_id = transfer.transfer_id and posting.amount_minor > 0
    where transfer.kind = 'SETTLEMENT'
) as transfer on transfer.cause_id = settlement.auction_id
where (settlement.amount_minor, settlement.currency_code)
    is distinct from (transfer.amount_minor, transfer.currency_code)
order by 1;

-- name: count_ledger
-- How much was verified, and what the outside world has brought in per currency.
select (select count(*) from ledger_accounts), (select count(*) from ledger_transfers),
    (
        select coalesce(jsonb_object_agg(currency_code, -balance_minor), '{}')
        from ledger_accounts
        where kind = 'PROCESSOR_CLEARING'
    );
