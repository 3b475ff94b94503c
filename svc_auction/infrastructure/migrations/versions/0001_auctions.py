"""Auctions, their books and bids, and the bidding power that funds them.

Revision ID: 0001
"""

from alembic import op

from servicekit.events import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(schema.outbox_sql())
    op.execute(
        """
        create table auctions (
            auction_id       uuid primary key,
            seller_id        uuid        not null,
            seller_name      text        not null,
            request_id       uuid        not null,
            body_hash        bytea       not null,
            title            text        not null,
            description      text        not null,
            image_url        text        not null,
            currency_code    char(3)     not null,
            opening_minor    bigint      not null check (opening_minor > 0),
            reserve_minor    bigint      check (reserve_minor >= opening_minor),
            prices_from_minor bigint[]   not null,
            steps_minor      bigint[]    not null,
            extend_within_ms integer,
            extend_by_ms     integer,
            extensions_max   integer,
            funding          smallint    not null,
            created_at       timestamptz not null,
            unique (seller_id, request_id)
        );

        -- What changes with every bid stands apart from what never does, so that a bid rewrites a
        -- short row; the free space lets it do so on the same page, without touching an index.
        create table books (
            auction_id           uuid     primary key references auctions,
            state                smallint not null,
            outcome              smallint,
            epoch                integer  not null default 1,
            sequence             bigint   not null,
            price_minor          bigint   not null check (price_minor > 0),
            leader_id            uuid,
            leader_maximum_minor bigint   not null default 0,
            held_minor           bigint   not null default 0 check (held_minor >= 0),
            bid_count            integer  not null default 0,
            extension_count      integer  not null default 0,
            starts_at            timestamptz,
            ends_at              timestamptz,
            log_head             bytea    not null default '',
            check (leader_id is null or price_minor <= leader_maximum_minor),
            check (state = 3 or held_minor = 0)
        ) with (fillfactor = 60);
        create index books_to_close on books (ends_at) where state = 3;
        create index books_to_start on books (starts_at) where state = 2;
        create index books_listed on books (state, ends_at, auction_id);
        create index auctions_of_seller on auctions (seller_id);

        create view whole_auctions as
        select a.auction_id, a.seller_name, a.title, a.description, a.image_url, a.created_at,
               a.seller_id, a.currency_code, a.opening_minor, a.reserve_minor,
               a.prices_from_minor, a.steps_minor, a.extend_within_ms, a.extend_by_ms,
               a.extensions_max, a.funding,
               b.state, b.outcome, b.epoch, b.sequence, b.price_minor, b.leader_id,
               b.leader_maximum_minor, b.held_minor, b.bid_count, b.extension_count,
               b.starts_at, b.ends_at, b.log_head
        from auctions as a
        join books as b using (auction_id);

        -- A record of the bid log, and the answer that a replay of its request gets.
        create table bids (
            auction_id    uuid        not null,
            sequence      bigint      not null,
            epoch         integer     not null,
            bid_id        uuid        not null,
            bidder_id     uuid        not null,
            request_id    uuid        not null,
            maximum_minor bigint      not null,
            price_minor   bigint      not null,
            leader_id     uuid        not null,
            bid_count     integer     not null,
            ends_at       timestamptz not null,
            placed_at     timestamptz not null,
            record_hash   bytea       not null,
            primary key (auction_id, sequence),
            unique (bidder_id, request_id)
        );

        create table bidding_power (
            bidder_id      uuid        not null,
            currency_code  char(3)     not null,
            allotted_minor bigint      not null,
            held_minor     bigint      not null default 0,
            used_at        timestamptz not null default now(),
            primary key (bidder_id, currency_code),
            check (held_minor >= 0),
            check (held_minor <= allotted_minor)
        ) with (fillfactor = 60);

        -- What this shard and the wallet still have to agree on; each row is one command to the
        -- wallet, sent under its own id until it is answered.
        create table power_transfers (
            transfer_id   uuid        primary key,
            kind          smallint    not null,
            state         smallint    not null,
            bidder_id     uuid        not null,
            currency_code char(3)     not null,
            amount_minor  bigint      not null check (amount_minor > 0),
            minimum_minor bigint      not null default 0,
            auction_id    uuid        unique,
            seller_id     uuid,
            created_at    timestamptz not null default clock_timestamp(),
            next_try_at   timestamptz not null default clock_timestamp()
        );
        create index power_transfers_open on power_transfers (next_try_at) where state = 1;
        """
    )
