"""The double-entry ledger, deposits, settlements and the answers of commands.

The ledger defends itself: whatever the code does, postings are never changed, a transfer sums to
zero per currency, a balance is the sum of its postings, and only the outside world may be negative.
"""

from alembic import op

from servicekit.events.schema import outbox_sql

revision = "0001"
down_revision = None

LEDGER = """
create table ledger_accounts (
    account_id uuid primary key,
    kind text not null check (
        kind in ('AVAILABLE', 'BIDDING_POWER', 'PENDING_EARNINGS', 'PROCESSOR_CLEARING')
    ),
    owner_id uuid,
    shard smallint check (shard between 0 and 255),
    currency_code char(3) not null check (currency_code ~ '^[A-Z]{3}$'),
    balance_minor bigint not null default 0,
    opened_at timestamptz not null default clock_timestamp(),
    unique (account_id, currency_code),
    constraint ledger_accounts_once unique nulls not distinct
        (owner_id, kind, shard, currency_code),
    constraint ledger_accounts_never_negative check (
        balance_minor >= 0 or kind = 'PROCESSOR_CLEARING'
    ),
    constraint ledger_accounts_owner check ((owner_id is null) = (kind = 'PROCESSOR_CLEARING')),
    constraint ledger_accounts_shard check ((shard is null) = (kind <> 'BIDDING_POWER'))
);
comment on table ledger_accounts is
    'Who has money of which kind; balance_minor changes with postings only.';

create table ledger_transfers (
    transfer_id uuid primary key,
    kind text not null check (kind in ('DEPOSIT', 'ALLOTMENT', 'RETURN', 'SETTLEMENT')),
    cause_id uuid not null,
    posting_count smallint not null check (posting_count >= 2),
    created_at timestamptz not null default clock_timestamp(),
    constraint ledger_transfers_once unique (kind, cause_id)
);
comment on table ledger_transfers is
    'Append-only. cause_id is the deposit, the auction, or the request id that moved the money.';

create table ledger_postings (
    transfer_id uuid not null references ledger_transfers,
    position smallint not null check (position >= 1),
    account_id uuid not null,
    currency_code char(3) not null,
    amount_minor bigint not null check (amount_minor <> 0),
    primary key (transfer_id, position),
    foreign key (account_id, currency_code) references ledger_accounts (account_id, currency_code)
);
create index ledger_postings_by_account on ledger_postings (account_id);
comment on table ledger_postings is 'Append-only. The changes of balances that make a transfer.';
"""

GUARDS = """
create function ledger_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% of % is refused: what is written stays', tg_op, tg_table_name
        using errcode = 'integrity_constraint_violation';
end $$;

create trigger ledger_transfers_append_only before update or delete on ledger_transfers
    for each row execute function ledger_refuse_change();
create trigger ledger_transfers_no_truncate before truncate on ledger_transfers
    for each statement execute function ledger_refuse_change();
create trigger ledger_postings_append_only before update or delete on ledger_postings
    for each row execute function ledger_refuse_change();
create trigger ledger_postings_no_truncate before truncate on ledger_postings
    for each statement execute function ledger_refuse_change();
create trigger ledger_accounts_no_delete before delete on ledger_accounts
    for each row execute function ledger_refuse_change();
create trigger ledger_accounts_no_truncate before truncate on ledger_accounts
    for each statement execute function ledger_refuse_change();

-- A new account is empty; afterwards only the trigger below, one level deeper, changes its balance.
create function ledger_guard_account() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' and new.balance_minor = 0 then
        return new;
    end if;
    if tg_op = 'UPDATE' and pg_trigger_depth() >= 2
        and (to_jsonb(new) - 'balance_minor') = (to_jsonb(old) - 'balance_minor') then
        return new;
    end if;
    raise exception '% of ledger_accounts is refused: balances follow from postings', tg_op
        using errcode = 'integrity_constraint_violation';
end $$;
create trigger ledger_accounts_guard before insert or update on ledger_accounts
    for each row execute function ledger_guard_account();

create function ledger_apply_posting() returns trigger language plpgsql as $$
begin
    update ledger_accounts set balance_minor = balance_minor + new.amount_minor
        where account_id = new.account_id;
    return null;
end $$;
create trigger ledger_postings_apply after insert on ledger_postings
    for each row execute function ledger_apply_posting();

-- At the commit: the transfer has just the postings that it was made with, and they sum to zero.
create function ledger_check_transfer() returns trigger language plpgsql as $$
begin
    if (select count(*) from ledger_postings where transfer_id = new.transfer_id) <>
        (select posting_count from ledger_transfers where transfer_id = new.transfer_id)
        or exists (
            select from ledger_postings where transfer_id = new.transfer_id
            group by currency_code having sum(amount_minor) <> 0
        )
    then
        raise exception 'transfer % does not sum to zero or lacks postings', new.transfer_id
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create constraint trigger ledger_transfers_balanced after insert on ledger_transfers
    deferrable initially deferred for each row execute function ledger_check_transfer();
create constraint trigger ledger_postings_balanced after insert on ledger_postings
    deferrable initially deferred for each row execute function ledger_check_transfer();
"""

COMMANDS = """
create table command_results (
    principal text not null,
    method text not null,
    request_id uuid not null,
    body_hash bytea not null check (length(body_hash) = 32),
    response bytea,
    refusal_reason text,
    refusal_facts jsonb,
    created_at timestamptz not null default clock_timestamp(),
    primary key (principal, method, request_id),
    constraint command_results_one_answer check (num_nonnulls(response, refusal_reason) <= 1),
    constraint command_results_facts check ((refusal_reason is null) = (refusal_facts is null))
);
comment on table command_results is
    'The first answer of every command, a response or a refusal; replays get it byte for byte.';

create table deposits (
    deposit_id uuid primary key,
    user_id uuid not null,
    request_id uuid not null,
    body_hash bytea not null check (length(body_hash) = 32),
    currency_code char(3) not null check (currency_code ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor > 0),
    payment_method_id text not null,
    state text not null default 'PENDING' check (
        state in ('PENDING', 'REQUIRES_ACTION', 'FAILED', 'SUCCEEDED')
    ),
    payment_id text not null default '',
    client_secret text not null default '',
    failure text check (
        failure in ('DECLINED', 'PAYMENT_METHOD_UNKNOWN', 'CANCELLED', 'NEVER_SENT')
    ),
    failure_code text not null default '',
    attempt_count integer not null default 0,
    attempt_expires_at timestamptz,
    attempt_answered boolean not null default false,
    asked_at timestamptz not null default clock_timestamp(),
    created_at timestamptz not null default clock_timestamp(),
    decided_at timestamptz,
    unique (user_id, request_id),
    constraint deposits_failure check ((failure is not null) = (state = 'FAILED')),
    constraint deposits_decided check (
        (decided_at is not null) = (state in ('FAILED', 'SUCCEEDED'))
    )
);
create unique index deposits_by_payment on deposits (payment_id) where payment_id <> '';
create index deposits_undecided on deposits (asked_at) where decided_at is null;
comment on table deposits is
    'Payments into the wallet. attempt_expires_at is set while the processor is being asked.';

-- The order of the states; see svc_payment/domain/deposits.py.
create function deposit_state_rank(state text) returns integer language sql immutable as $$
    select array_position(array['PENDING', 'REQUIRES_ACTION', 'FAILED', 'SUCCEEDED'], state)
$$;
create function deposit_guard() returns trigger language plpgsql as $$
begin
    if deposit_state_rank(new.state) < deposit_state_rank(old.state)
        or (new.deposit_id, new.user_id, new.request_id, new.currency_code, new.amount_minor)
        is distinct from
        (old.deposit_id, old.user_id, old.request_id, old.currency_code, old.amount_minor)
        or (old.payment_id <> '' and new.payment_id <> old.payment_id)
    then
        raise exception 'deposit % cannot go from % to %', old.deposit_id, old.state, new.state
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger deposits_guard before update on deposits
    for each row execute function deposit_guard();

create table settlements (
    auction_id uuid primary key,
    winner_id uuid not null,
    seller_id uuid not null,
    shard smallint not null check (shard between 0 and 255),
    currency_code char(3) not null,
    amount_minor bigint not null check (amount_minor > 0),
    settled_at timestamptz not null default clock_timestamp()
);
comment on table settlements is 'Which auctions are paid; each once.';

create table stripe_events (
    event_id text primary key,
    event_type text not null,
    deposit_id uuid not null references deposits,
    received_at timestamptz not null default clock_timestamp()
);
comment on table stripe_events is 'The events of the processor that were taken; each once.';

create trigger deposits_no_delete before delete on deposits
    for each row execute function ledger_refuse_change();
create trigger deposits_no_truncate before truncate on deposits
    for each statement execute function ledger_refuse_change();
create trigger settlements_append_only before update or delete on settlements
    for each row execute function ledger_refuse_change();
create trigger settlements_no_truncate before truncate on settlements
    for each statement execute function ledger_refuse_change();
create trigger command_results_fixed before update on command_results
    for each row when (num_nonnulls(old.response, old.refusal_reason) > 0)
    execute function ledger_refuse_change();
"""


def upgrade() -> None:
    """Create everything."""
    for part in (LEDGER, GUARDS, COMMANDS, outbox_sql()):
        op.execute(part)
