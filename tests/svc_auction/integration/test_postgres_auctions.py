import asyncio
from datetime import timedelta

import pytest

from fakes.auction_books import bid_of, soft_close, terms_of
from fakes.auction_shards import (
    audit,
    events_of,
    give_power,
    live_auction,
    new_auction,
    power_of,
    rows_of,
    utc_now,
)
from fakes.lane_bids import lane_on
from kernel.errors import RequestIdReused
from kernel.ids import new_id
from svc_auction.application.cancel_auction import CancelAuction
from svc_auction.application.close_auction import CloseAuction
from svc_auction.application.read_auctions import SEQUENCE_MAX, OwnStanding, ReadAuctions
from svc_auction.application.schedule_auction import ScheduleAuction
from svc_auction.application.start_auction import StartAuction
from svc_auction.domain.book import Outcome, State
from svc_auction.domain.errors import (
    AuctionHasBids,
    AuctionNotFound,
    StateTransitionInvalid,
)
from svc_auction.domain.increments import Ladder, Step
from svc_auction.domain.terms import Funding
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.shards import Shard

HOUR = timedelta(hours=1)


async def test_a_draft_is_as_it_was_asked_for(shard: Shard, auctions: PostgresAuctions) -> None:
    terms = terms_of(
        seller_id=new_id(),
        opening_minor=99_00,
        reserve_minor=150_00,
        ladder=Ladder([Step(0, 7), Step(100, 9)]),
        soft_close=soft_close(),
        funding=Funding.WALLET_HOLD,
    )
    created = await auctions.create(new_auction(terms))
    read = await auctions.get(created.listing.auction_id)
    assert (read.listing, read.book) == (created.listing, created.book)
    assert read.terms.ladder.steps == terms.ladder.steps
    assert (read.terms.reserve_minor, read.terms.soft_close) == (150_00, terms.soft_close)
    assert (read.book.state, read.book.price_minor, read.book.sequence) == (State.DRAFT, 99_00, 1)
    (event,) = await events_of(shard, created.listing.auction_id)
    assert (event.type, event.sequence) == ("auction.created", 1)


async def test_a_replay_of_a_creation_gets_the_first_answer(auctions: PostgresAuctions) -> None:
    new = new_auction()
    first = await auctions.create(new)
    assert await auctions.create(new) == first
    auction_id = first.listing.auction_id
    start = StartAuction(auctions=auctions)
    await start(auction_id=auction_id, seller_id=new.terms.seller_id, ends_at=utc_now() + HOUR)
    assert await auctions.create(new) == first
    assert (await auctions.get(auction_id)).book.state is State.LIVE


async def test_another_body_under_the_same_request_id_creates_nothing(
    auctions: PostgresAuctions,
) -> None:
    new = new_auction()
    await auctions.create(new)
    with pytest.raises(RequestIdReused):
        await auctions.create(
            new_auction(new.terms, request_id=new.request_id, body_hash=b"\x02" * 32)
        )
    other_seller = new_auction(request_id=new.request_id, body_hash=b"\x02" * 32)
    await auctions.create(other_seller)


async def test_double_clicks_create_one(shard: Shard, auctions: PostgresAuctions) -> None:
    new = new_auction()
    created = await asyncio.gather(*(auctions.create(new) for _ in range(8)))
    assert all(auction == created[0] for auction in created)
    rows = await rows_of(
        shard, "select count(*) from auctions where seller_id = %s", new.terms.seller_id
    )
    assert rows == [(1,)]


async def test_an_auction_goes_its_way(shard: Shard, auctions: PostgresAuctions) -> None:
    new = new_auction()
    seller_id = new.terms.seller_id
    auction_id = (await auctions.create(new)).listing.auction_id
    starts_at = utc_now() + HOUR
    scheduled = await ScheduleAuction(auctions=auctions)(
        auction_id=auction_id, seller_id=seller_id, starts_at=starts_at, ends_at=starts_at + HOUR
    )
    assert scheduled.book == (await auctions.get(auction_id)).book
    assert (scheduled.book.state, scheduled.book.starts_at) == (State.SCHEDULED, starts_at)
    started = await StartAuction(auctions=auctions)(
        auction_id=auction_id, seller_id=seller_id, ends_at=None
    )
    assert (started.book.state, started.book.ends_at) == (State.LIVE, starts_at + HOUR)
    await lane_on(shard).place(bid_of(new_id(), 50_00, auction_id=auction_id))
    closed = await CloseAuction(auctions=auctions)(auction_id=auction_id, seller_id=seller_id)
    assert (closed.book.state, closed.book.outcome) == (State.ENDED, Outcome.SOLD)
    assert closed.book == (await auctions.get(auction_id)).book
    kinds = [event.type for event in await events_of(shard, auction_id)]
    assert kinds == [
        "auction.created", "auction.scheduled", "auction.started", "bid.placed", "auction.end",
    ]  # fmt: skip
    await audit(shard, auctions, [auction_id])
    with pytest.raises(StateTransitionInvalid):
        await CloseAuction(auctions=auctions)(auction_id=auction_id, seller_id=seller_id)
    assert closed.book == (await auctions.get(auction_id)).book


async def test_a_strangers_auction_is_not_found(auctions: PostgresAuctions) -> None:
    auction_id = await live_auction(auctions)
    stranger = new_id()
    with pytest.raises(AuctionNotFound):
        await CloseAuction(auctions=auctions)(auction_id=auction_id, seller_id=stranger)
    with pytest.raises(AuctionNotFound):
        await CancelAuction(auctions=auctions)(
            auction_id=auction_id, caller_id=stranger, by_moderator=False, reason=""
        )
    for unknown in (new_id(), new_id(shard=9)):
        with pytest.raises(AuctionNotFound):
            await auctions.get(unknown)
    assert (await auctions.get(auction_id)).book.state is State.LIVE


async def test_a_change_that_fails_leaves_nothing(shard: Shard, auctions: PostgresAuctions) -> None:
    auction_id = await live_auction(auctions)
    before = await auctions.get(auction_id)

    async def close_and_fail() -> None:
        async with auctions.change(auction_id) as change:
            change.record(change.auction.close(now=change.now))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await close_and_fail()
    assert await auctions.get(auction_id) == before
    await audit(shard, auctions, [auction_id])


@pytest.mark.parametrize("paid", [True, False])
async def test_a_close_takes_the_price_and_frees_the_rest(
    shard: Shard, auctions: PostgresAuctions, *, paid: bool
) -> None:
    funding = Funding.WALLET_HOLD if paid else Funding.OPEN
    terms = terms_of(seller_id=new_id(), funding=funding)
    auction_id = await live_auction(auctions, terms)
    ada, bob = new_id(), new_id()
    await give_power(shard, [ada, bob], 10_000)
    await lane_on(shard).place(bid_of(ada, 50_00, auction_id=auction_id))
    await lane_on(shard).place(bid_of(bob, 20_00, auction_id=auction_id))
    await CloseAuction(auctions=auctions)(auction_id=auction_id, seller_id=terms.seller_id)
    owed = await rows_of(
        shard,
        "select kind, state, bidder_id, currency_code, amount_minor, seller_id"
        " from power_transfers where auction_id = %s",
        auction_id,
    )
    assert owed == ([(3, 1, ada, "USD", 20_50, terms.seller_id)] if paid else [])
    assert await power_of(shard, ada) == ((10_000 - 20_50, 0) if paid else (10_000, 0))
    assert await power_of(shard, bob) == (10_000, 0)
    await audit(shard, auctions, [auction_id])


async def test_below_the_reserve_everything_comes_back(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    terms = terms_of(seller_id=new_id(), funding=Funding.WALLET_HOLD, reserve_minor=90_00)
    auction_id = await live_auction(auctions, terms)
    ada = new_id()
    await give_power(shard, [ada], 10_000)
    await lane_on(shard).place(bid_of(ada, 50_00, auction_id=auction_id))
    closed = await CloseAuction(auctions=auctions)(auction_id=auction_id, seller_id=terms.seller_id)
    assert closed.book.outcome is Outcome.RESERVE_NOT_MET
    assert await power_of(shard, ada) == (10_000, 0)
    await audit(shard, auctions, [auction_id])


async def test_a_moderator_calls_off_what_has_bids_and_frees_the_hold(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    terms = terms_of(seller_id=new_id(), funding=Funding.WALLET_HOLD)
    auction_id = await live_auction(auctions, terms)
    ada = new_id()
    await give_power(shard, [ada], 10_000)
    await lane_on(shard).place(bid_of(ada, 50_00, auction_id=auction_id))
    cancel = CancelAuction(auctions=auctions)
    with pytest.raises(AuctionHasBids):
        await cancel(
            auction_id=auction_id, caller_id=terms.seller_id, by_moderator=False, reason=""
        )
    assert await power_of(shard, ada) == (10_000, 5_000)
    await cancel(auction_id=auction_id, caller_id=new_id(), by_moderator=True, reason="Fake.")
    assert await power_of(shard, ada) == (10_000, 0)
    last = (await events_of(shard, auction_id))[-1]
    assert (last.type, last.auction_cancelled.reason) == ("auction.cancelled", "Fake.")
    await audit(shard, auctions, [auction_id])


async def test_bids_are_listed_newest_first_page_by_page(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    auction_id = await live_auction(auctions)
    for number in range(1, 6):
        await lane_on(shard).place(bid_of(new_id(), 100 * 2**number, auction_id=auction_id))
    read = ReadAuctions(auctions=auctions)
    sequences, before = [], SEQUENCE_MAX
    while True:
        _, page = await read.list_bids(auction_id, viewer_id=None, before_sequence=before, limit=2)
        if not page:
            break
        sequences += [bid.sequence for bid in page]
        before = page[-1].sequence
    assert sequences == [7, 6, 5, 4, 3]


async def test_only_a_bidder_has_a_standing(shard: Shard, auctions: PostgresAuctions) -> None:
    auction_id = await live_auction(auctions)
    ada, bob, cyd = (new_id() for _ in range(3))
    read = ReadAuctions(auctions=auctions)
    assert (await read.get(auction_id, viewer_id=ada))[1] is None
    for bidder_id, maximum_minor in ((ada, 50_00), (bob, 20_00), (ada, 70_00)):
        await lane_on(shard).place(bid_of(bidder_id, maximum_minor, auction_id=auction_id))
    standings = [(await read.get(auction_id, viewer_id=v))[1] for v in (ada, bob, cyd, None)]
    assert standings == [
        OwnStanding(ada, leading=True, maximum_minor=70_00),
        OwnStanding(bob, leading=False, maximum_minor=20_00),
        None,
        None,
    ]


async def test_drafts_are_their_sellers_alone(auctions: PostgresAuctions) -> None:
    new = new_auction()
    auction_id = (await auctions.create(new)).listing.auction_id
    seller_id = new.terms.seller_id
    read = ReadAuctions(auctions=auctions)
    for viewer_id in (None, new_id()):
        with pytest.raises(AuctionNotFound):
            await read.get(auction_id, viewer_id=viewer_id)
        with pytest.raises(AuctionNotFound):
            await read.list_bids(auction_id, viewer_id=viewer_id, before_sequence=9, limit=9)
    assert (await read.get(auction_id, viewer_id=seller_id))[0].listing.auction_id == auction_id
    for wanted, viewer_id, count in [
        (seller_id, seller_id, 1),
        (seller_id, new_id(), 0),
        (seller_id, None, 0),
        (None, seller_id, 0),
        (None, None, 0),
    ]:
        found = await read.list_auctions(
            state=State.DRAFT, seller_id=wanted, viewer_id=viewer_id, after=None, limit=50
        )
        assert len(found) == count
