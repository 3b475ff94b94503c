import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.auction_books import bid_of, soft_close, terms_of
from fakes.auction_shards import (
    audit,
    end_in,
    events_of,
    give_power,
    live_auction,
    new_auction,
    power_of,
    rows_of,
    utc_now,
)
from fakes.lane_bids import (
    accepted,
    answer,
    bid_at_once,
    lane_on,
    random_bids,
    reasons,
)
from kernel.errors import Overloaded, RequestIdReused
from kernel.ids import new_id
from svc_auction.domain.errors import (
    AuctionEnded,
    AuctionNotFound,
    InsufficientFunds,
)
from svc_auction.domain.terms import Funding
from svc_auction.infrastructure import bid_lane
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.shards import Shard

PEOPLE = 12
FUNDED = terms_of(funding=Funding.WALLET_HOLD, seller_id=new_id())


async def people(shard: Shard, amount_minor: int = 10_000_000) -> list[str]:
    bidder_ids = [new_id() for _ in range(PEOPLE)]
    await give_power(shard, bidder_ids, amount_minor)
    return bidder_ids


@pytest.mark.parametrize("auction_count", [1, 8])
async def test_many_bid_at_once(
    shard: Shard, auctions: PostgresAuctions, auction_count: int
) -> None:
    auction_ids = [await live_auction(auctions, FUNDED) for _ in range(auction_count)]
    bidder_ids = await people(shard)
    bids = random_bids(1, auction_ids=auction_ids, bidder_ids=bidder_ids, count=300)
    verdicts = await bid_at_once([lane_on(shard)], bids)
    assert len(accepted(verdicts)) > 20
    assert reasons(verdicts) <= {"BID_TOO_LOW", "MAXIMUM_NOT_RAISED"}
    await audit(shard, auctions, auction_ids)
    count = await rows_of(
        shard, "select count(*) from bids where auction_id = any(%s::uuid[])", auction_ids
    )
    assert count == [(len(accepted(verdicts)),)]


async def test_two_replicas_bid_at_once_on_one_database(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    auction_ids = [await live_auction(auctions, FUNDED) for _ in range(6)]
    bidder_ids = await people(shard)
    lanes = [lane_on(shard), lane_on(shard), lane_on(shard)]
    for seed in range(3):
        bids = random_bids(seed, auction_ids=auction_ids, bidder_ids=bidder_ids, count=150)
        raised = [replace(bid, maximum_minor=bid.maximum_minor + seed * 5_000) for bid in bids]
        verdicts = await bid_at_once(lanes, raised)
        assert len(accepted(verdicts)) > 20
        assert reasons(verdicts) <= {"BID_TOO_LOW", "MAXIMUM_NOT_RAISED"}
    await audit(shard, auctions, auction_ids)


async def test_short_power_is_never_overdrawn(shard: Shard, auctions: PostgresAuctions) -> None:
    auction_ids = [await live_auction(auctions, FUNDED) for _ in range(6)]
    bidder_ids = await people(shard, amount_minor=6_000)
    bids = random_bids(3, auction_ids=auction_ids, bidder_ids=bidder_ids, count=300)
    verdicts = await bid_at_once([lane_on(shard), lane_on(shard)], bids)
    assert "INSUFFICIENT_FUNDS" in reasons(verdicts)
    assert accepted(verdicts) != []
    await audit(shard, auctions, auction_ids)


async def test_a_replay_is_the_first_answer_byte_for_byte(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    terms = replace(FUNDED, soft_close=soft_close(within_s=3_600, by_s=3_600, times=9))
    auction_id = await live_auction(auctions, terms, minutes=30)
    first, second = (await people(shard))[:2]
    bids = [
        bid_of(first, 50_00, auction_id=auction_id),
        bid_of(second, 20_00, auction_id=auction_id),
        bid_of(second, 90_00, auction_id=auction_id),
    ]
    lane = lane_on(shard)
    answers = [answer(await lane.place(bid)) for bid in bids]
    # Another replica, which has never seen the auction, long after more was bid.
    assert [answer(await lane_on(shard).place(bid)) for bid in bids] == answers
    async with auctions.change(auction_id) as change:
        change.record(change.auction.close(now=change.now))
    assert [answer(await lane_on(shard).place(bid)) for bid in bids] == answers
    await audit(shard, auctions, [auction_id])
    assert await power_of(shard, second) == (10_000_000 - 51_00, 0)


async def test_double_clicks_have_one_effect_and_one_answer(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    auction_id = await live_auction(auctions, FUNDED)
    bidder_ids = await people(shard)
    bids = [bid_of(bidder_ids[0], 50_00, auction_id=auction_id)] * 50
    verdicts = await bid_at_once([lane_on(shard), lane_on(shard)], bids)
    assert len({answer(verdict) for verdict in verdicts}) == 1
    assert (await auctions.get(auction_id)).book.bid_count == 1
    await audit(shard, auctions, [auction_id])


async def test_one_request_id_on_two_auctions_counts_once(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    auction_ids = [await live_auction(auctions, FUNDED) for _ in range(2)]
    bidder_ids = await people(shard)
    for number in range(5):
        bid = bid_of(bidder_ids[number], 10_00 * 2**number, auction_id=auction_ids[0])
        bids = [bid, replace(bid, auction_id=auction_ids[1])]
        verdicts = await bid_at_once([lane_on(shard), lane_on(shard)], bids)
        assert (len(accepted(verdicts)), reasons(verdicts)) == (1, {"REQUEST_ID_REUSED"})
    await audit(shard, auctions, auction_ids)


async def test_another_body_under_a_used_request_id_is_refused(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    auction_id = await live_auction(auctions, FUNDED)
    bid = bid_of((await people(shard))[0], 50_00, auction_id=auction_id)
    await lane_on(shard).place(bid)
    with pytest.raises(RequestIdReused):
        await lane_on(shard).place(replace(bid, maximum_minor=60_00))
    with pytest.raises(RequestIdReused):
        await lane_on(shard).place(replace(bid, auction_id=new_id()))
    assert (await auctions.get(auction_id)).book.bid_count == 1


async def test_without_funds_nothing_is_written(shard: Shard, auctions: PostgresAuctions) -> None:
    auction_id = await live_auction(auctions, FUNDED)
    rich, poor = new_id(), new_id()
    await give_power(shard, [rich], 10_000)
    await give_power(shard, [poor], 4_999)
    with pytest.raises(InsufficientFunds) as refused:
        await lane_on(shard).place(bid_of(poor, 50_00, auction_id=auction_id))
    assert refused.value.shortfall_minor == 1
    assert (await auctions.get(auction_id)).book.sequence == 2
    await lane_on(shard).place(bid_of(rich, 50_00, auction_id=auction_id))
    assert (await power_of(shard, poor), await power_of(shard, rich)) == (
        (4_999, 0),
        (10_000, 5_000),
    )


async def test_a_bid_on_nothing_or_on_a_draft_is_not_found(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    draft = await auctions.create(new_auction())
    for auction_id in (new_id(), draft.listing.auction_id):
        with pytest.raises(AuctionNotFound):
            await lane_on(shard).place(bid_of(new_id(), 50_00, auction_id=auction_id))


async def test_an_ended_auction_takes_no_bid_though_nobody_closed_it(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    auction_id = await live_auction(auctions)
    await end_in(shard, auction_id, 0)
    with pytest.raises(AuctionEnded):
        await lane_on(shard).place(bid_of(new_id(), 50_00, auction_id=auction_id))
    assert (await auctions.get(auction_id)).book.bid_count == 0


async def test_a_late_bid_moves_the_end_in_the_same_transaction(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    auction_id = await live_auction(auctions, terms_of(soft_close=soft_close(by_s=120)))
    await end_in(shard, auction_id, 30)
    placed = await lane_on(shard).place(bid_of(new_id(), 50_00, auction_id=auction_id))
    book = (await auctions.get(auction_id)).book
    assert book.ends_at is not None
    assert book.ends_at == placed.event.ends_at
    assert book.ends_at - placed.event.occurred_at == timedelta(seconds=120)
    assert abs(placed.event.occurred_at - utc_now()) < timedelta(seconds=30)
    kinds = [event.type for event in await events_of(shard, auction_id)]
    assert kinds[-2:] == ["bid.placed", "auction.extended"]
    await audit(shard, auctions, [auction_id])


async def test_who_hangs_up_while_waiting_is_not_bid_for(
    shard: Shard, auctions: PostgresAuctions
) -> None:
    auction_id = await live_auction(auctions)
    lane = lane_on(shard)
    first = asyncio.create_task(lane.place(bid_of(new_id(), 50_00, auction_id=auction_id)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting = asyncio.create_task(lane.place(bid_of(new_id(), 60_00, auction_id=auction_id)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(first, waiting, return_exceptions=True)
    await lane.place(bid_of(new_id(), 70_00, auction_id=auction_id))
    assert waiting.cancelled()
    assert (await auctions.get(auction_id)).book.bid_count == 2


async def test_a_full_lane_sheds_load(
    shard: Shard, auctions: PostgresAuctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bid_lane, "WAITING_MAX", 5)
    auction_id = await live_auction(auctions)
    bids = [bid_of(new_id(), 100 * n, auction_id=auction_id) for n in range(1, 20)]
    verdicts = await bid_at_once([lane_on(shard)], bids)
    shed = [verdict for verdict in verdicts if isinstance(verdict, Overloaded)]
    assert len(shed) == 14
    assert all(refusal.retry_after_s for refusal in shed)
    await audit(shard, auctions, [auction_id])


async def test_a_batch_is_bounded(
    shard: Shard, auctions: PostgresAuctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bid_lane, "BATCH_MAX", 7)
    auction_id = await live_auction(auctions)
    bids = [bid_of(new_id(), 100 * n, auction_id=auction_id) for n in range(1, 31)]
    verdicts = await bid_at_once([lane_on(shard)], bids)
    assert len(accepted(verdicts)) == 30
    moments = {placed.event.occurred_at for placed in accepted(verdicts)}
    assert len(moments) == 5
