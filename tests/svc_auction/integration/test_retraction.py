"""Retractions on a shard: holds move, heirs are funded or lapse, and nothing happens twice."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from fakes.auction_books import bid_of
from fakes.auction_shards import (
    auctions_on,
    events_of,
    new_auction,
    power_of,
    rows_of,
)
from fakes.bank import Bank
from fakes.lane_bids import answer
from fakes.retractions import FUNDED, Saleroom, answer_to, wish_of
from kernel.errors import DependencyUnavailable, RequestIdReused
from kernel.ids import new_id
from svc_auction.domain.book import State
from svc_auction.domain.errors import (
    AuctionEnded,
    AuctionNotFound,
    BidNotFound,
)
from svc_auction.domain.formats import SEALED_FIRST_PRICE, SEALED_SECOND_PRICE
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.retraction import Reason
from svc_auction.domain.terms import Funding
from svc_auction.infrastructure.grpc_retracting import retract_bid_response


@pytest.fixture
def room(bank: Bank) -> Saleroom:
    return Saleroom(bank)


async def test_the_hold_moves_to_whoever_leads_then(room: Saleroom) -> None:
    ada, bob = await room.bidder(), await room.bidder()
    auction_id = await room.opened()
    await room.bid(bid_of(bob, 20_00, auction_id=auction_id))
    first = await room.bid(bid_of(ada, 50_00, auction_id=auction_id))
    second = await room.bid(bid_of(ada, 70_00, auction_id=auction_id))
    retraction = await room.retract_bid(wish_of(first))
    event = retraction.event
    assert event.bid_ids == (first.event.bid_id, second.event.bid_id)
    assert (event.leader_id, event.price_minor, event.sequence) == (bob, 1, 6)
    assert await power_of(room.shard, ada) == (100_00, 0)
    assert await power_of(room.shard, bob) == (100_00, 20_00)
    await room.audit(auction_id)
    told = (await events_of(room.shard, auction_id))[-1]
    assert (told.type, told.sequence) == ("bid.retracted", 6)
    shown = told.bid_retracted
    assert (list(shown.bid_ids), shown.bidder_id, shown.leader_id) == (
        [first.event.bid_id, second.event.bid_id],
        ada,
        bob,
    )
    assert (shown.auction.bid_count, shown.auction.price.amount_minor) == (1, 1)
    assert shown.auction.position.sequence == 6
    assert shown.auction.bid_log_head == event.record_hash
    await room.bid(bid_of(ada, 30_00, auction_id=auction_id))
    await room.audit(auction_id)


async def test_the_last_bids_of_an_auction_may_go(room: Saleroom) -> None:
    ada = await room.bidder()
    auction_id = await room.opened()
    placed = await room.bid(bid_of(ada, 50_00, auction_id=auction_id))
    await room.retract_bid(wish_of(placed))
    assert await power_of(room.shard, ada) == (100_00, 0)
    await room.audit(auction_id)
    async with auctions_on(room.bank.shards).change(auction_id) as change:
        change.record(change.auction.close(now=change.now))
    await room.audit(auction_id)


async def test_an_heir_is_funded_by_the_wallet(room: Saleroom) -> None:
    ada, bob = await room.bidder(), await room.bidder()
    auction_id = await room.opened()
    await room.bid(bid_of(bob, 20_00, auction_id=auction_id))
    placed = await room.bid(bid_of(ada, 50_00, auction_id=auction_id))
    await room.take_home()
    assert await power_of(room.shard, bob) == (0, 0)
    retraction = await room.retract_bid(wish_of(placed))
    assert retraction.event.leader_id == bob
    assert (await power_of(room.shard, bob))[1] == 20_00
    await room.audit(auction_id)
    await room.bank.check_money(bob)


async def test_the_bids_of_an_heir_whom_the_wallet_refuses_lapse(room: Saleroom) -> None:
    ada, bob, cyd, dan = [await room.bidder() for _ in range(4)]
    auction_id = await room.opened()
    ahead = [
        await room.bid(bid_of(bidder_id, minor, auction_id=auction_id))
        for bidder_id, minor in ((dan, 10_00), (bob, 20_00), (cyd, 30_00), (bob, 40_00))
    ]
    placed = await room.bid(bid_of(ada, 50_00, auction_id=auction_id))
    await room.take_home(spending=[bob, cyd])
    wish = wish_of(placed)
    retraction = await room.retract_bid(wish)
    assert (retraction.event.leader_id, retraction.event.price_minor) == (dan, 1)
    await room.audit(auction_id)
    records = await rows_of(
        room.shard,
        "select bidder_id, reason, bid_ids, leader_id, request_id = %s from retractions"
        " where auction_id = %s order by sequence",
        wish.request_id,
        auction_id,
    )
    assert records == [
        (bob, Reason.UNFUNDED, [ahead[1].event.bid_id, ahead[3].event.bid_id], ada, False),
        (cyd, Reason.UNFUNDED, [ahead[2].event.bid_id], ada, False),
        (ada, Reason.TYPING_ERROR, [placed.event.bid_id], dan, True),
    ]
    kinds = [event.type for event in await events_of(room.shard, auction_id) if event.sequence]
    assert kinds[-4:] == ["bid.placed", *["bid.retracted"] * 3]
    assert answer_to(await room.retract_bid(wish)) == answer_to(retraction)


async def test_while_the_wallet_is_away_nobody_loses_anything(room: Saleroom) -> None:
    ada, bob = await room.bidder(), await room.bidder()
    auction_id = await room.opened()
    await room.bid(bid_of(bob, 20_00, auction_id=auction_id))
    wish = wish_of(await room.bid(bid_of(ada, 50_00, auction_id=auction_id)))
    await room.take_home()
    room.bank.wallet.away = True
    with pytest.raises(DependencyUnavailable):
        await room.retract_bid(wish)
    assert (await auctions_on(room.bank.shards).get(auction_id)).book.leader_id == ada
    await room.audit(auction_id)
    room.bank.wallet.away = False
    assert (await room.retract_bid(wish)).event.leader_id == bob
    await room.audit(auction_id)


@pytest.mark.parametrize("format_", [SEALED_FIRST_PRICE, SEALED_SECOND_PRICE])
async def test_of_a_sealed_auction_only_ones_own_hold_changes(
    room: Saleroom, format_: Format
) -> None:
    ada, bob = await room.bidder(), await room.bidder()
    auction_id = await room.opened(minutes=60, format=format_)
    await room.bid(bid_of(bob, 20_00, auction_id=auction_id))
    first = await room.bid(bid_of(ada, 30_00, auction_id=auction_id))
    second = await room.bid(bid_of(ada, 50_00, auction_id=auction_id))
    await room.audit(auction_id)
    latest = await room.retract_bid(wish_of(second))
    assert await power_of(room.shard, ada) == (100_00, 30_00)
    assert retract_bid_response(latest).price.amount_minor == FUNDED.opening_minor
    await room.audit(auction_id)
    await room.retract_bid(wish_of(first))
    assert await power_of(room.shard, ada) == (100_00, 0)
    assert await power_of(room.shard, bob) == (100_00, 20_00)
    await room.audit(auction_id)
    told = (await events_of(room.shard, auction_id))[-1].bid_retracted
    assert (told.leader_id, told.auction.leader_alias) == ("", "")
    assert told.auction.price.amount_minor == FUNDED.opening_minor
    await room.bid(bid_of(ada, 5_00, auction_id=auction_id))
    await room.audit(auction_id)


async def test_an_heir_beyond_the_limit_of_the_show_lapses(room: Saleroom) -> None:
    ada, bob, cyd = new_id(), new_id(), new_id()
    show: dict[str, Any] = {
        "show_id": new_id(),
        "bidder_limit_minor": 60_00,
        "funding": Funding.OPEN,
    }
    auction_id, another_id = await room.opened(**show), await room.opened(**show)
    for bidder_id, minor in ((cyd, 10_00), (bob, 20_00)):
        await room.bid(bid_of(bidder_id, minor, auction_id=auction_id))
    placed = await room.bid(bid_of(ada, 50_00, auction_id=auction_id))
    await room.bid(bid_of(bob, 50_00, auction_id=another_id))
    assert (await room.retract_bid(wish_of(placed))).event.leader_id == cyd
    await room.audit(auction_id, another_id)


async def test_a_bid_ahead_on_a_lot_that_waits_may_go(room: Saleroom) -> None:
    ada = await room.bidder()
    auctions = auctions_on(room.bank.shards)
    draft = await auctions.create(new_auction(replace(FUNDED, show_id=new_id())))
    auction_id = draft.listing.auction_id
    async with auctions.change(auction_id) as change:
        change.record(change.auction.queue(now=change.now))
    await room.bid(bid_of(ada, 10_00, auction_id=auction_id))
    placed = await room.bid(bid_of(ada, 20_00, auction_id=auction_id))
    assert len((await room.retract_bid(wish_of(placed))).event.bid_ids) == 2
    assert (await auctions.get(auction_id)).book.state is State.QUEUED
    await room.audit(auction_id)


async def test_the_same_request_is_answered_alike_and_another_is_refused(room: Saleroom) -> None:
    ada = await room.bidder()
    auction_id, another_id = await room.opened(), await room.opened()
    first = await room.bid(bid_of(ada, 20_00, auction_id=auction_id))
    placed = await room.bid(bid_of(ada, 50_00, auction_id=auction_id))
    wish = wish_of(placed)
    answers = await asyncio.gather(*(room.retract_bid(wish) for _ in range(4)))
    assert len({answer_to(one) for one in answers}) == 1
    for other in (
        replace(wish, bid_id=first.event.bid_id),
        replace(wish, reason=Reason.DESCRIPTION_CHANGED),
        replace(wish, auction_id=another_id),
        replace(wish, request_id=placed.event.request_id),
    ):
        with pytest.raises(RequestIdReused):
            await room.retract_bid(other)
    with pytest.raises(BidNotFound):
        await room.retract_bid(replace(wish, request_id=new_id()))
    with pytest.raises(BidNotFound):
        await room.retract_bid(replace(wish, bidder_id=new_id()))
    with pytest.raises(AuctionNotFound):
        await room.retract_bid(replace(wish, auction_id=new_id()))
    await room.audit(auction_id, another_id)
    async with auctions_on(room.bank.shards).change(auction_id) as change:
        change.record(change.auction.close(now=change.now))
    assert answer_to(await room.retract_bid(wish)) == answer_to(answers[0])
    with pytest.raises(AuctionEnded):
        await room.retract_bid(replace(wish, request_id=new_id()))


async def test_a_retracted_bid_sent_again_has_its_first_answer_and_does_not_count(
    room: Saleroom,
) -> None:
    ada = await room.bidder()
    auction_id = await room.opened()
    bid = bid_of(ada, 50_00, auction_id=auction_id)
    placed = await room.bid(bid)
    await room.retract_bid(wish_of(placed))
    assert answer(await room.bid(bid)) == answer(placed)
    assert (await auctions_on(room.bank.shards).get(auction_id)).book.bid_count == 0
    await room.audit(auction_id)
