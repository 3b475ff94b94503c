"""Every format and rule, live shows, watch lists, and what the shard knows about people.

Revision ID: 0002
"""

from alembic import op

from servicekit.events import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(schema.inbox_sql())
    op.execute(
        """
        alter table auctions
            add format                  smallint not null default 1,
            add buy_now_minor           bigint check (buy_now_minor > 0),
            add buy_now_availability    smallint,
            add drop_minor              bigint,
            add drop_every_ms           bigint,
            add floor_minor             bigint,
            add confirm_above_factor    integer  not null default 0,
            add lot_duration_ms         integer,
            add latest_end_after_ms     integer,
            add show_id                 uuid,
            add bidder_limit_minor      bigint,
            add revision                integer  not null default 1,
            add description_changed_at  timestamptz;
        create index auctions_of_show on auctions (show_id) where show_id is not null;

        alter table books
            add announced_end_at timestamptz,
            add paused_at        timestamptz,
            add paused_for       interval not null default interval '0',
            add ending_soon_at   timestamptz,
            drop constraint books_check1,
            add constraint books_held_while_open check (state in (3, 6, 7) or held_minor = 0);
        update books set announced_end_at = ends_at where state = 3;
        create index books_ending_soon on books (ending_soon_at)
            where state = 3 and ending_soon_at is not null;

        drop view whole_auctions;
        create view whole_auctions as
        select a.auction_id, a.seller_name, a.title, a.description, a.image_url, a.created_at,
               a.revision, a.description_changed_at,
               a.seller_id, a.currency_code, a.opening_minor, a.reserve_minor,
               a.prices_from_minor, a.steps_minor, a.extend_within_ms, a.extend_by_ms,
               a.extensions_max, a.latest_end_after_ms, a.funding, a.format, a.buy_now_minor,
               a.buy_now_availability, a.drop_minor, a.drop_every_ms, a.floor_minor,
               a.confirm_above_factor, a.lot_duration_ms, a.show_id, a.bidder_limit_minor,
               b.state, b.outcome, b.epoch, b.sequence, b.price_minor, b.leader_id,
               b.leader_maximum_minor, b.held_minor, b.bid_count, b.extension_count,
               b.starts_at, b.ends_at, b.announced_end_at, b.paused_at, b.paused_for,
               b.ending_soon_at, b.log_head
        from auctions as a
        join books as b using (auction_id);

        alter table bids
            alter ends_at drop not null,
            add won          boolean not null default false,
            add salt         bytea   not null default '',
            add retracted_at timestamptz;

        -- A retraction is a record of the bid log, and the answer that a replay of it gets. Nobody
        -- named a bid of one that lapsed.
        create table retractions (
            auction_id    uuid        not null,
            sequence      bigint      not null,
            epoch         integer     not null,
            retraction_id uuid        not null,
            bidder_id     uuid        not null,
            request_id    uuid        not null,
            reason        smallint    not null,
            bid_id        uuid,
            bid_ids       uuid[]      not null,
            sequences     bigint[]    not null,
            price_minor   bigint      not null,
            leader_id     uuid,
            retracted_at  timestamptz not null,
            record_hash   bytea       not null,
            salt          bytea       not null,
            primary key (auction_id, sequence),
            unique (bidder_id, request_id)
        );

        -- In a sealed auction everybody's highest maximum counts and is held.
        create table sealed_bids (
            auction_id    uuid    not null,
            bidder_id     uuid    not null,
            currency_code char(3) not null,
            maximum_minor bigint  not null check (maximum_minor > 0),
            held_minor    bigint  not null check (held_minor in (0, maximum_minor)),
            primary key (auction_id, bidder_id)
        ) with (fillfactor = 60);

        -- Whose auctions are closed to whom: 1 blocked by the seller, 2 linked accounts. The latest
        -- word counts, so that shards can tell each other.
        create table bars (
            seller_id  uuid        not null,
            bidder_id  uuid        not null,
            kind       smallint    not null,
            barred     boolean     not null,
            changed_at timestamptz not null,
            primary key (seller_id, bidder_id, kind)
        );
        create index bars_of_bidder on bars (bidder_id) where barred;

        -- Who has a saved card, as svc_payment says.
        create table card_holders (
            bidder_id  uuid        primary key,
            saved      boolean     not null,
            changed_at timestamptz not null
        );

        create table watches (
            user_id    uuid        not null,
            auction_id uuid        not null references auctions,
            added_at   timestamptz not null default clock_timestamp(),
            primary key (user_id, auction_id)
        );
        create index watches_listed on watches (user_id, added_at desc, auction_id desc);
        create index watches_of_auction on watches (auction_id);

        create table shows (
            show_id            uuid        primary key,
            seller_id          uuid        not null,
            seller_name        text        not null,
            request_id         uuid        not null,
            body_hash          bytea       not null,
            title              text        not null,
            description        text        not null,
            image_url          text        not null,
            state              smallint    not null,
            starts_at          timestamptz not null,
            ended_at           timestamptz,
            lot_ids            uuid[]      not null default '{}',
            limit_currency     char(3),
            bidder_limit_minor bigint      check (bidder_limit_minor > 0),
            revision           integer     not null default 1,
            sequence           bigint      not null default 1,
            created_at         timestamptz not null,
            unique (seller_id, request_id)
        );
        create index shows_listed on shows (state, starts_at, show_id);
        create index shows_of_seller on shows (seller_id);

        create table bookmarks (
            user_id  uuid        not null,
            show_id  uuid        not null references shows,
            added_at timestamptz not null default clock_timestamp(),
            primary key (user_id, show_id)
        );
        """
    )
