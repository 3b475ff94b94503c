"""Accounts, sign-ins with their refresh tokens, counted attempts to sign in, and the outbox."""

from alembic import op

from servicekit.events import schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table people (
        user_id uuid primary key,
        email text not null check (length(email) between 3 and 254),
        display_name text not null check (length(display_name) between 1 and 50),
        password_hash text not null check (password_hash like '$argon2id$%'),
        roles text[] not null default '{}'
            check (roles <@ array['SELLER', 'MODERATOR', 'ADMIN']),
        shop_name text not null default '' check (length(shop_name) <= 80),
        event_sequence bigint not null default 0 check (event_sequence >= 0),
        created_at timestamptz not null
    )
    """,
    "create unique index people_email_key on people (lower(email))",
    """
    comment on column people.event_sequence is
        'The sequence of the last event about this account, from 1 without gaps.'
    """,
    """
    create table sign_ins (
        sign_in_id uuid primary key,
        user_id uuid not null references people on delete cascade,
        created_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz not null,
        revoked_at timestamptz
    )
    """,
    "create index sign_ins_user_id on sign_ins (user_id)",
    "create index sign_ins_expires_at on sign_ins (expires_at)",
    """
    comment on column sign_ins.expires_at is 'When its newest refresh token expires.'
    """,
    """
    create table refresh_tokens (
        token_hash bytea primary key check (length(token_hash) = 32),
        sign_in_id uuid not null references sign_ins on delete cascade,
        expires_at timestamptz not null,
        used_at timestamptz,
        retried_at timestamptz,
        withdrawn_at timestamptz,
        successor_hash bytea,
        check ((used_at is null) = (successor_hash is null))
    )
    """,
    "create index refresh_tokens_sign_in_id on refresh_tokens (sign_in_id)",
    "create index refresh_tokens_expires_at on refresh_tokens (expires_at)",
    """
    create unique index refresh_tokens_good on refresh_tokens (sign_in_id)
        where used_at is null and withdrawn_at is null
    """,
    """
    comment on index refresh_tokens_good is
        'One refresh token of a sign-in is good at any time.'
    """,
    """
    create table sign_in_attempts (
        key bytea primary key check (length(key) = 32),
        empty_at timestamptz not null
    ) with (fillfactor = 50)
    """,
    """
    comment on table sign_in_attempts is
        'Allowances for guessing passwords: when each will be empty again. Keys are hashes.'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(schema.outbox_sql())
