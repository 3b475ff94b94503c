"""Every failure reason of the auction area, through Envoy and in each protocol.

A reason that the contract has and this file does not know fails a test here.
"""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest

from blytz.auction.v1 import error_reason_pb2
from fakes.auction_scene import Cast, Scene, bid_fields, cast_on, english, usd
from fakes.protocols import Answer, Protocol
from fakes.running_mesh import RunningMesh

Act = Callable[[Scene], Awaitable[Answer]]
ACTS: dict[str, tuple[grpc.StatusCode, Act]] = {}
NOBODY = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
FAILED, INVALID = grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT
FORBIDDEN, MISSING = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND
ELSEWHERE = {"SHARD_UNAVAILABLE"}
"""Reasons that need a part to die: tests/acceptance/test_faults.py."""


def gives(reason: str, status: grpc.StatusCode) -> Callable[[Act], Act]:
    """Register what leads to a reason."""

    def register(act: Act) -> Act:
        ACTS[reason] = (status, act)
        return act

    return register


@pytest.fixture(scope="module")
def cast(mesh: RunningMesh) -> Cast:
    return cast_on(mesh)


@pytest.fixture
def scene(mesh: RunningMesh, cast: Cast, protocol: Protocol) -> Scene:
    return Scene(mesh, cast, protocol)


@gives("AUCTION_NOT_FOUND", MISSING)
async def _somebody_elses_draft(scene: Scene) -> Answer:
    return await scene.call("GetAuction", scene.cast.ann, auctionId=await scene.draft())


@gives("AUCTION_NOT_LIVE", FAILED)
async def _paused(scene: Scene) -> Answer:
    show_id = await scene.show(lots=1, live=True)
    opened = await scene.do("OpenNextLot", scene.cast.sue, showId=show_id)
    await scene.do("PauseLot", scene.cast.sue, showId=show_id)
    return await scene.bid(opened.lot.auction_id, scene.cast.ann)


@gives("AUCTION_ENDED", FAILED)
async def _over(scene: Scene) -> Answer:
    return await scene.bid(await scene.ended(), scene.cast.ann)


@gives("BID_TOO_LOW", FAILED)
async def _below_the_opening(scene: Scene) -> Answer:
    return await scene.bid(await scene.live(), scene.cast.ann, usd(9_99))


@gives("MAXIMUM_NOT_RAISED", FAILED)
async def _same_again(scene: Scene) -> Answer:
    auction_id, _ = await scene.led_by_ann()
    return await scene.bid(auction_id, scene.cast.ann)


@gives("INSUFFICIENT_FUNDS", FAILED)
async def _empty_wallet(scene: Scene) -> Answer:
    auction_id = await scene.live(fundingPolicy="FUNDING_POLICY_WALLET_HOLD")
    return await scene.bid(auction_id, scene.cast.pip)


@gives("OWN_AUCTION", FORBIDDEN)
async def _own(scene: Scene) -> Answer:
    return await scene.bid(await scene.live(), scene.cast.sue)


@gives("CURRENCY_MISMATCH", INVALID)
async def _euros(scene: Scene) -> Answer:
    return await scene.bid(await scene.live(), scene.cast.ann, usd(20_00, "EUR"))


@gives("AUCTION_HAS_BIDS", FAILED)
async def _cancel_too_late(scene: Scene) -> Answer:
    auction_id, _ = await scene.led_by_ann()
    return await scene.call("CancelAuction", scene.cast.sue, auctionId=auction_id)


@gives("STATE_TRANSITION_INVALID", FAILED)
async def _start_twice(scene: Scene) -> Answer:
    return await scene.call("StartAuction", scene.cast.sue, auctionId=await scene.live())


@gives("TERMS_INVALID", INVALID)
async def _dutch_without_a_schedule(scene: Scene) -> Answer:
    terms = english(format="AUCTION_FORMAT_DUTCH")
    request_id = str(uuid.uuid4())
    return await scene.call(
        "CreateAuction", scene.cast.sue, requestId=request_id, title="A watch", terms=terms
    )


@gives("CONFIRM_LARGE_BID", FAILED)
async def _a_typing_error(scene: Scene) -> Answer:
    auction_id = await scene.live(confirmAboveFactor=10)
    return await scene.bid(auction_id, scene.cast.ann, usd(100_01))


@gives("BIDDER_BLOCKED", FORBIDDEN)
async def _blocked(scene: Scene) -> Answer:
    ben = {"bidderId": scene.cast.ben.user_id}
    auction_id = await scene.live()
    await scene.do("BlockBidder", scene.cast.sue, **ben)
    answer = await scene.bid(auction_id, scene.cast.ben)
    await scene.do("UnblockBidder", scene.cast.sue, **ben)
    assert (await scene.bid(auction_id, scene.cast.ben)).status is grpc.StatusCode.OK
    return answer


@gives("LINKED_ACCOUNT", FORBIDDEN)
async def _linked(scene: Scene) -> Answer:
    scene.bar(scene.cast.sid, kind=2)
    return await scene.bid(await scene.live(), scene.cast.sid)


@gives("BIDDER_LIMIT_EXCEEDED", FAILED)
async def _beyond_the_shows_limit(scene: Scene) -> Answer:
    show_id = await scene.show(bidderLimit=usd(30_00))
    first, second = await scene.lot(show_id), await scene.lot(show_id)
    await scene.do("PlaceBid", scene.cast.ann, **bid_fields(first, usd(20_00)))
    return await scene.bid(second, scene.cast.ann, usd(10_01))


@gives("CARD_MISSING", FAILED)
async def _no_card(scene: Scene) -> Answer:
    auction_id = await scene.live(fundingPolicy="FUNDING_POLICY_SAVED_CARD")
    return await scene.bid(auction_id, scene.cast.pip)


@gives("BUY_NOW_UNAVAILABLE", FAILED)
async def _another_price(scene: Scene) -> Answer:
    buy_now = {"price": usd(90_00), "availability": "BUY_NOW_AVAILABILITY_UNTIL_REACHED"}
    auction_id = await scene.live(buyNow=buy_now)
    fields: dict[str, Any] = {"requestId": str(uuid.uuid4()), "auctionId": auction_id}
    return await scene.call("BuyNow", scene.cast.ann, **fields, price=usd(89_00))


@gives("RETRACTION_NOT_ALLOWED", FAILED)
async def _nothing_has_changed(scene: Scene) -> Answer:
    auction_id, bid_id = await scene.led_by_ann()
    return await _retract(scene, auction_id, bid_id, "RETRACTION_REASON_DESCRIPTION_CHANGED")


@gives("BID_NOT_FOUND", MISSING)
async def _somebody_elses_bid(scene: Scene) -> Answer:
    auction_id, bid_id = await scene.led_by_ann()
    wish = {"auctionId": auction_id, "bidId": bid_id}
    receipt = await scene.call("GetBidReceipt", scene.cast.ben, **wish)
    assert (receipt.status, receipt.reason) == (MISSING, "BID_NOT_FOUND")
    others = Scene(scene.mesh, scene.cast, scene.protocol)
    return await others.call(
        "RetractBid",
        scene.cast.ben,
        **wish,
        requestId=str(uuid.uuid4()),
        reason="RETRACTION_REASON_TYPING_ERROR",
    )


@gives("TERMS_FROZEN", FAILED)
async def _another_title(scene: Scene) -> Answer:
    auction_id, _ = await scene.led_by_ann()
    return await scene.call(
        "UpdateAuction", scene.cast.sue, auctionId=auction_id, title="Another watch"
    )


@gives("SHOW_NOT_FOUND", MISSING)
async def _somebody_elses_show(scene: Scene) -> Answer:
    return await scene.call("StartShow", scene.cast.sid, showId=await scene.show())


@gives("SHOW_STATE_INVALID", FAILED)
async def _not_on_yet(scene: Scene) -> Answer:
    return await scene.call("OpenNextLot", scene.cast.sue, showId=await scene.show(lots=1))


@gives("LOT_OPEN", FAILED)
async def _two_lots_at_once(scene: Scene) -> Answer:
    show_id = await scene.show(lots=2, live=True)
    await scene.do("OpenNextLot", scene.cast.sue, showId=show_id)
    return await scene.call("OpenNextLot", scene.cast.sue, showId=show_id)


@gives("NO_LOT_OPEN", FAILED)
async def _nothing_to_pause(scene: Scene) -> Answer:
    return await scene.call("PauseLot", scene.cast.sue, showId=await scene.show(live=True))


@gives("NO_LOT_QUEUED", FAILED)
async def _no_lots(scene: Scene) -> Answer:
    return await scene.call("OpenNextLot", scene.cast.sue, showId=await scene.show(live=True))


@gives("LOT_ORDER_INVALID", INVALID)
async def _an_unknown_lot(scene: Scene) -> Answer:
    show_id = await scene.show(lots=1)
    return await scene.call("ReorderLots", scene.cast.sue, showId=show_id, lotIds=[NOBODY])


@gives("SHOW_FULL", FAILED)
async def _five_hundred_and_one_lots(scene: Scene) -> Answer:
    show_id = await scene.show()
    scene.fill(show_id)
    return await scene.call("AddLot", scene.cast.sue, **scene.lot_fields(show_id))


@gives("ETAG_MISMATCH", grpc.StatusCode.ABORTED)
async def _edited_meanwhile(scene: Scene) -> Answer:
    auction_id = await scene.draft()
    update = {"auctionId": auction_id, "etag": "1", "title": "Another watch"}
    await scene.do("UpdateAuction", scene.cast.sue, **update)
    return await scene.call("UpdateAuction", scene.cast.sue, **update)


@gives("ROLE_MISSING", FORBIDDEN)
async def _what_if_without_ann(scene: Scene) -> Answer:
    auction_id, _ = await scene.led_by_ann()
    ann = {"auctionId": auction_id, "withoutBidderId": scene.cast.ann.user_id}
    told = await scene.do("VerifyBidLog", scene.cast.mod, **ann)
    assert (told.valid, told.counterfactual_price.amount_minor) == (True, 10_00)
    return await scene.call("VerifyBidLog", scene.cast.ben, **ann)


async def _retract(scene: Scene, auction_id: str, bid_id: str, reason: str) -> Answer:
    return await scene.call(
        "RetractBid",
        scene.cast.ann,
        requestId=str(uuid.uuid4()),
        auctionId=auction_id,
        bidId=bid_id,
        reason=reason,
    )


@pytest.mark.parametrize("reason", ACTS)
async def test_the_reason_is_the_contracts(scene: Scene, reason: str) -> None:
    status, act = ACTS[reason]
    answer = await act(scene)
    assert (answer.status, answer.reason) == (status, reason)


def test_no_reason_of_the_contract_is_left_out() -> None:
    names = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.keys()[1:]}
    assert names - ACTS.keys() == ELSEWHERE


async def test_a_confirmed_large_bid_counts(scene: Scene) -> None:
    auction_id = await scene.live(confirmAboveFactor=10)
    asked = await scene.bid(auction_id, scene.cast.ann, usd(100_01))
    token = asked.facts["confirmation_token"]
    for other in (usd(100_02), usd(100_01, "EUR")):
        assert (await scene.bid(auction_id, scene.cast.ann, other, confirmationToken=token)).reason
    stolen = await scene.bid(auction_id, scene.cast.ben, usd(100_01), confirmationToken=token)
    assert stolen.reason == "CONFIRM_LARGE_BID"
    placed = await scene.bid(auction_id, scene.cast.ann, usd(100_01), confirmationToken=token)
    assert placed.status is grpc.StatusCode.OK
