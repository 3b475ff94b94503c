"""The RPCs as a person at the gateway meets them."""

from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1 import auction_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from fakes.auction_service import (
    AuctionClients,
    bid_request,
    create_request,
    in_minutes,
    usd,
)
from fakes.mesh import refusal_of
from kernel.ids import new_id
from svc_auction.domain.increments import DEFAULT_LADDER

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND


def reserved(opening_minor: int, reserve: Any) -> messages.CreateAuctionRequest:
    terms = auction_pb2.AuctionTerms(opening_price=usd(opening_minor))
    return create_request(terms=terms, reserve_price=reserve)


async def test_a_draft_is_only_its_sellers(clients: AuctionClients) -> None:
    draft = await clients.draft()
    assert (draft.seller_id, draft.seller_name) == (clients.seller_id, "Ada")
    assert draft.state == auction_pb2.AUCTION_STATE_DRAFT
    assert [step.step_minor for step in draft.terms.increments] == [
        step.step_minor for step in DEFAULT_LADDER.steps
    ]
    assert (await clients.get(draft.auction_id, clients.seller)).auction == draft
    request = messages.GetAuctionRequest(auction_id=draft.auction_id)
    for metadata in ([], clients.person(), clients.person("SELLER")):
        refused = await refusal_of(clients.edge.GetAuction, request, metadata)
        assert (refused.code, refused.reason) == (NOT_FOUND, "AUCTION_NOT_FOUND")
    refused = await refusal_of(
        clients.edge.PlaceBid, bid_request(draft.auction_id, 100), clients.person()
    )
    assert (refused.code, refused.reason) == (NOT_FOUND, "AUCTION_NOT_FOUND")


async def test_a_creation_sent_twice_is_answered_with_the_same_bytes(
    clients: AuctionClients,
) -> None:
    request = create_request()
    first = await clients.edge.CreateAuction(request, metadata=clients.seller)
    await clients.edge.StartAuction(
        messages.StartAuctionRequest(auction_id=first.auction.auction_id, ends_at=in_minutes(60)),
        metadata=clients.seller,
    )
    again = await clients.edge.CreateAuction(request, metadata=clients.seller)
    assert again.SerializeToString() == first.SerializeToString()
    request.title = "Another"
    refused = await refusal_of(clients.edge.CreateAuction, request, clients.seller)
    assert (refused.code, refused.reason) == (INVALID, "REQUEST_ID_REUSED")


@pytest.mark.parametrize(
    "request_message",
    [
        reserved(100, usd(99)),
        reserved(100, {"currency_code": "EUR", "amount_minor": 500}),
        create_request(
            terms=auction_pb2.AuctionTerms(
                increments=[auction_pb2.IncrementStep(price_from_minor=5, step_minor=5)]
            )
        ),
    ],
    ids=["reserve below opening", "reserve in euro", "ladder with a hole"],
)
async def test_terms_that_contradict_each_other(
    clients: AuctionClients, request_message: messages.CreateAuctionRequest
) -> None:
    refused = await refusal_of(clients.edge.CreateAuction, request_message, clients.seller)
    assert (refused.code, refused.reason) == (INVALID, "TERMS_INVALID")


async def test_an_auction_from_its_announcement_to_its_sale(clients: AuctionClients) -> None:
    draft = await clients.draft()
    auction_id = draft.auction_id
    scheduled = await clients.edge.ScheduleAuction(
        messages.ScheduleAuctionRequest(
            auction_id=auction_id, starts_at=in_minutes(30), ends_at=in_minutes(90)
        ),
        metadata=clients.seller,
    )
    assert scheduled.auction.state == auction_pb2.AUCTION_STATE_SCHEDULED
    bidder = clients.person()
    refused = await refusal_of(clients.edge.PlaceBid, bid_request(auction_id, 100), bidder)
    assert (refused.code, refused.reason) == (PRECONDITION, "AUCTION_NOT_LIVE")
    assert refused.metadata == {"state": "SCHEDULED"}
    await clients.edge.StartAuction(
        messages.StartAuctionRequest(auction_id=auction_id), metadata=clients.seller
    )
    placed = await clients.edge.PlaceBid(bid_request(auction_id, 50_00), metadata=bidder)
    assert (placed.leading, placed.price.amount_minor) == (True, 1)
    assert placed.minimum_next_bid == usd(6)
    closed = await clients.edge.CloseAuction(
        messages.CloseAuctionRequest(auction_id=auction_id), metadata=clients.seller
    )
    assert closed.auction.outcome == auction_pb2.AUCTION_OUTCOME_SOLD
    refused = await refusal_of(clients.edge.PlaceBid, bid_request(auction_id, 99_00), bidder)
    assert (refused.code, refused.reason) == (PRECONDITION, "AUCTION_ENDED")
    refused = await refusal_of(
        clients.edge.CloseAuction,
        messages.CloseAuctionRequest(auction_id=auction_id),
        clients.seller,
    )
    assert (refused.code, refused.reason) == (PRECONDITION, "STATE_TRANSITION_INVALID")
    assert refused.metadata == {"state": "ENDED"}


async def test_every_refusal_of_a_bid_is_what_the_contract_says(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    ada, poor = clients.person(), clients.person(minor=10_00)
    await clients.edge.PlaceBid(bid_request(auction_id, 50_00), metadata=ada)
    before = await clients.get(auction_id)
    cases: list[tuple[Any, Any, grpc.StatusCode, str, dict[str, str]]] = [
        (bid_request(auction_id, 2), clients.person(), PRECONDITION, "BID_TOO_LOW",
         {"minimum_minor": "6"}),
        (bid_request(auction_id, 50_00), ada, PRECONDITION, "MAXIMUM_NOT_RAISED",
         {"maximum_minor": "5000"}),
        (bid_request(auction_id, 40_00), poor, PRECONDITION, "INSUFFICIENT_FUNDS",
         {"shortfall_minor": "3000"}),
        (bid_request(auction_id, 90_00), clients.seller, grpc.StatusCode.PERMISSION_DENIED,
         "OWN_AUCTION", {}),
        (bid_request(auction_id, 90_00, maximum={"currency_code": "EUR"}), clients.person(),
         INVALID, "CURRENCY_MISMATCH", {"currency_code": "USD"}),
        (bid_request(new_id(), 90_00), ada, NOT_FOUND, "AUCTION_NOT_FOUND", {}),
        (bid_request(new_id(shard=77), 90_00), ada, NOT_FOUND, "AUCTION_NOT_FOUND", {}),
    ]  # fmt: skip
    for request, metadata, code, reason, facts in cases:
        refused = await refusal_of(clients.edge.PlaceBid, request, metadata)
        assert (refused.code, refused.reason, refused.metadata) == (code, reason, facts)
    assert await clients.get(auction_id) == before


async def test_a_bid_sent_twice_is_answered_with_the_same_bytes(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    ada = clients.person()
    request = bid_request(auction_id, 50_00)
    first = await clients.edge.PlaceBid(request, metadata=ada)
    await clients.edge.PlaceBid(bid_request(auction_id, 90_00), metadata=clients.person())
    again = await clients.edge.PlaceBid(request, metadata=ada)
    assert again.SerializeToString() == first.SerializeToString()
    request.request_id = request.request_id.upper()
    in_capitals = await clients.edge.PlaceBid(request, metadata=ada)
    assert in_capitals.SerializeToString() == first.SerializeToString()
    request.maximum.amount_minor = 50_01
    refused = await refusal_of(clients.edge.PlaceBid, request, ada)
    assert (refused.code, refused.reason) == (INVALID, "REQUEST_ID_REUSED")
    assert (await clients.get(auction_id)).auction.bid_count == 2


async def test_only_the_bidder_sees_their_maximum(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    ada, bob = clients.person(), clients.person()
    await clients.edge.PlaceBid(bid_request(auction_id, 98_761), metadata=ada)
    await clients.edge.PlaceBid(bid_request(auction_id, 5_000), metadata=bob)
    own = (await clients.get(auction_id, ada)).own_standing
    assert (own.leading, own.maximum) == (True, usd(98_761))
    for metadata in (bob, clients.seller, []):
        seen = await clients.get(auction_id, metadata)
        assert "98761" not in str(seen)
        assert seen.HasField("own_standing") == (metadata is bob)
    bids = await clients.edge.ListBids(messages.ListBidsRequest(auction_id=auction_id))
    assert "98761" not in str(bids)
    assert [bid.price.amount_minor for bid in bids.bids] == [5_100, 1]
    assert bids.bids[0].leader_alias == bids.bids[1].bidder_alias == own.alias


async def test_bids_are_paged(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    for number in range(1, 6):
        await clients.edge.PlaceBid(
            bid_request(auction_id, 100 * 2**number), metadata=clients.person()
        )
    sequences: list[int] = []
    token = ""
    while True:
        page = await clients.edge.ListBids(
            messages.ListBidsRequest(auction_id=auction_id, page_size=2, page_token=token)
        )
        sequences += [bid.sequence for bid in page.bids]
        token = page.next_page_token
        if not token:
            break
    assert sequences == [7, 6, 5, 4, 3]


async def test_auctions_are_listed_by_seller_and_state(clients: AuctionClients) -> None:
    live = {await clients.live() for _ in range(3)}
    draft = (await clients.draft()).auction_id
    found: list[str] = []
    token = ""
    while True:
        page = await clients.edge.ListAuctions(
            messages.ListAuctionsRequest(seller_id=clients.seller_id, page_size=2, page_token=token)
        )
        found += [auction.auction_id for auction in page.auctions]
        token = page.next_page_token
        if not token:
            break
    assert (set(found), len(found)) == (live, 3)
    drafts = messages.ListAuctionsRequest(
        state=auction_pb2.AUCTION_STATE_DRAFT, seller_id=clients.seller_id
    )
    own = await clients.edge.ListAuctions(drafts, metadata=clients.seller)
    assert [auction.auction_id for auction in own.auctions] == [draft]
    assert not (await clients.edge.ListAuctions(drafts)).auctions


async def test_who_may_call_an_auction_off(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    await clients.edge.PlaceBid(bid_request(auction_id, 50_00), metadata=clients.person())
    request = messages.CancelAuctionRequest(auction_id=auction_id, reason="Fake.")
    refused = await refusal_of(clients.edge.CancelAuction, request, clients.person("SELLER"))
    assert (refused.code, refused.reason) == (NOT_FOUND, "AUCTION_NOT_FOUND")
    refused = await refusal_of(clients.edge.CancelAuction, request, clients.seller)
    assert (refused.code, refused.reason) == (PRECONDITION, "AUCTION_HAS_BIDS")
    cancelled = await clients.edge.CancelAuction(request, metadata=clients.person("MODERATOR"))
    assert cancelled.auction.state == auction_pb2.AUCTION_STATE_CANCELLED


async def test_times_outside_the_calendar_or_the_rules(clients: AuctionClients) -> None:
    auction_id = (await clients.draft()).auction_id
    ends = [Timestamp(seconds=10**12), in_minutes(0.01), in_minutes(60 * 24 * 31)]
    for ends_at in ends:
        refused = await refusal_of(
            clients.edge.StartAuction,
            messages.StartAuctionRequest(auction_id=auction_id, ends_at=ends_at),
            clients.seller,
        )
        assert refused.code is INVALID
        assert refused.reason in {"TERMS_INVALID", "INVALID_REQUEST"}


async def test_while_the_wallet_is_away_a_bid_without_power_may_be_repeated(
    clients: AuctionClients,
) -> None:
    auction_id = await clients.live()
    ada = clients.person()
    request = bid_request(auction_id, 50_00)
    clients.wallet.away = True
    refused = await refusal_of(clients.edge.PlaceBid, request, ada)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.UNAVAILABLE,
        "DEPENDENCY_UNAVAILABLE",
    )
    assert refused.retry_after_s > 0
    assert (await clients.get(auction_id)).auction.bid_count == 0
    clients.wallet.away = False
    assert (await clients.edge.PlaceBid(request, metadata=ada)).leading
