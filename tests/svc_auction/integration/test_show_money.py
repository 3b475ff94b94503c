"""What live shows hold of their bidders' money, and what they may commit there."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import grpc

from blytz.auction.v1 import auction_pb2
from blytz.common.v1.money_pb2 import Money
from fakes.auction_books import bid_of, terms_of
from fakes.auction_service import AuctionClients, usd
from fakes.auction_shards import (
    ALIASES,
    auctions_on,
    give_power,
    new_auction,
    power_of,
    rows_of,
    utc_now,
)
from fakes.lane_bids import Verdict, accepted, lane_on, random_bids, reasons, verdict_of
from fakes.live_shows import Stage, check_events, new_lot
from fakes.show_books import new_show
from kernel.ids import new_id
from svc_auction.application.add_lot import AddLot
from svc_auction.application.end_show import EndShow
from svc_auction.application.open_next_lot import OpenNextLot
from svc_auction.application.start_show import StartShow
from svc_auction.domain.book import State
from svc_auction.domain.formats import LIVE_LOT, SEALED_FIRST_PRICE
from svc_auction.domain.show import ShowState
from svc_auction.domain.terms import Funding
from svc_auction.infrastructure.postgres_shows import PostgresShows
from svc_auction.infrastructure.shards import Shard, Shards

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
INVALID = grpc.StatusCode.INVALID_ARGUMENT


async def held_minor(shard: Shard, bidder_ids: Sequence[str]) -> list[int]:
    return [(await power_of(shard, bidder_id))[1] for bidder_id in bidder_ids]


async def settled(shard: Shard, auction_id: str) -> list[tuple[str, int]]:
    """Return who is to pay what for a lot."""
    rows = await rows_of(
        shard,
        "select bidder_id, amount_minor from power_transfers where auction_id = %s and kind = 3",
        auction_id,
    )
    return [(row[0], row[1]) for row in rows]


async def test_holds_outlast_the_opening_and_a_pause_and_end_with_the_show(
    clients: AuctionClients, shard: Shard
) -> None:
    stage = await Stage.announce(clients)
    ada_id, bob_id = new_id(), new_id()
    ada, bob = clients.person(user_id=ada_id), clients.person(user_id=bob_id)
    first, second = await stage.add(), await stage.add()
    await stage.bid(first, 20_00, ada)
    await stage.bid(second, 7_00, bob)
    assert await held_minor(shard, [ada_id, bob_id]) == [20_00, 7_00]
    await stage.do("StartShow")
    await stage.do("OpenNextLot")
    await stage.bid(first, 5_00, bob)
    await stage.do("PauseLot")
    assert await held_minor(shard, [ada_id, bob_id]) == [20_00, 7_00]
    before_minor = (await power_of(shard, ada_id))[0]
    await stage.do("EndShow")
    assert await held_minor(shard, [ada_id, bob_id]) == [0, 0]
    assert await settled(shard, first) == [(ada_id, 6_00)]
    assert (await power_of(shard, ada_id))[0] == before_minor - 6_00
    assert await settled(shard, second) == []
    assert (await stage.lot(second)).outcome == auction_pb2.AUCTION_OUTCOME_CANCELLED
    await check_events(shard, stage)


async def test_a_show_that_is_called_off_frees_sealed_bids_too(
    clients: AuctionClients, shard: Shard
) -> None:
    stage = await Stage.announce(clients)
    sealed = new_lot()
    sealed.terms.format = auction_pb2.AUCTION_FORMAT_SEALED_SECOND_PRICE
    lot_id = (await stage.do("AddLot", new_lot=sealed)).lot.auction_id
    bidder_ids = [new_id(), new_id()]
    for bidder_id in bidder_ids:
        await stage.bid(lot_id, 9_00, clients.person(user_id=bidder_id))
    assert await held_minor(shard, bidder_ids) == [9_00, 9_00]
    await stage.do("EndShow")
    assert await held_minor(shard, bidder_ids) == [0, 0]
    await check_events(shard, stage)


async def test_a_bidder_is_held_to_the_limit_over_all_lots(clients: AuctionClients) -> None:
    stage = await Stage.announce(clients, bidder_limit=usd(10_00))
    ada, bob = clients.person(), clients.person()
    first, second, third = [await stage.add() for _ in range(3)]
    await stage.do("StartShow")
    await stage.do("OpenNextLot")
    await stage.bid(first, 3_00, bob)
    assert (await stage.bid(first, 9_00, ada)).price == usd(4_00)
    refused = await stage.bid_refused(second, 2_00, ada)
    assert (refused.code, refused.reason) == (PRECONDITION, "BIDDER_LIMIT_EXCEEDED")
    assert refused.metadata == {"limit_minor": "1000", "left_minor": "100"}
    await stage.close(first)
    assert (await stage.bid(second, 6_00, ada)).leading
    refused = await stage.bid_refused(third, 1_00, ada)
    assert refused.metadata == {"limit_minor": "1000", "left_minor": "0"}
    refused = await stage.bid_refused(second, 6_01, ada)
    assert refused.metadata == {"limit_minor": "1000", "left_minor": "600"}
    assert (await stage.bid(third, 10_00, bob)).leading


async def test_a_new_limit_counts_for_the_lots_that_wait(clients: AuctionClients) -> None:
    stage = await Stage.announce(clients)
    first, second, third = [await stage.add() for _ in range(3)]
    await stage.do("StartShow")
    await stage.do("OpenNextLot")
    show = (await stage.do("UpdateShow", bidder_limit=usd(5_00))).show
    assert show.bidder_limit == usd(5_00)
    ada = clients.person()
    assert (await stage.bid(first, 50_00, ada)).leading
    assert (await stage.bid_refused(second, 5_01, clients.person())).metadata["left_minor"] == "500"
    await stage.close(first)
    await stage.do("OpenNextLot")
    await stage.do("UpdateShow", clear_bidder_limit=True)
    assert (await stage.bid_refused(second, 5_01, clients.person())).reason == (
        "BIDDER_LIMIT_EXCEEDED"
    )
    assert (await stage.bid(third, 80_00, clients.person())).leading
    fourth = await stage.add()
    assert (await stage.bid(fourth, 80_00, clients.person())).leading


async def test_a_limit_is_in_the_currency_of_the_lots(clients: AuctionClients) -> None:
    euro = Money(currency_code="EUR", amount_minor=100)
    stage = await Stage.announce(clients, bidder_limit=usd(10_00))
    refused = await stage.refused("AddLot", new_lot=new_lot(opening_price=euro))
    assert (refused.code, refused.reason) == (INVALID, "TERMS_INVALID")
    await stage.do("UpdateShow", clear_bidder_limit=True)
    await stage.add(opening_price=euro)
    before = await stage.show()
    refused = await stage.refused("UpdateShow", bidder_limit=usd(10_00))
    assert (refused.code, refused.reason) == (INVALID, "TERMS_INVALID")
    refused = await stage.refused("UpdateShow", bidder_limit=euro, clear_bidder_limit=True)
    assert (refused.code, refused.reason) == (INVALID, "TERMS_INVALID")
    assert await stage.show() == before
    await stage.do("StartShow")
    await stage.do("OpenNextLot")
    await stage.close(before.lot_ids[0])
    refused = await stage.refused("UpdateShow", bidder_limit=usd(10_00))
    assert (refused.code, refused.reason) == (INVALID, "TERMS_INVALID")
    assert (await stage.do("UpdateShow", bidder_limit=euro)).show.bidder_limit == euro


async def test_bids_of_two_replicas_meet_the_end_of_the_show(shards: Shards, shard: Shard) -> None:
    """Whatever comes first: no deadlock, nothing stays held, and sold is what was up."""
    shows, auctions = PostgresShows(shards=shards, aliases=ALIASES), auctions_on(shards)
    show = await shows.create(new_show(starts_at=utc_now() + timedelta(minutes=30)))
    seller = {"show_id": show.show_id, "seller_id": show.seller_id}
    lot_ids = []
    for number in range(12):
        terms = terms_of(
            seller_id=show.seller_id,
            funding=Funding.WALLET_HOLD,
            format=SEALED_FIRST_PRICE if number % 4 == 3 else LIVE_LOT,
        )
        _, lot = await AddLot(shows=shows)(show_id=show.show_id, etag="", lot=new_auction(terms))
        lot_ids.append(lot.listing.auction_id)
    await StartShow(shows=shows)(**seller)
    await OpenNextLot(shows=shows)(**seller, etag="", duration=None)
    bidder_ids = [new_id() for _ in range(8)]
    await give_power(shard, bidder_ids, 1_000_000_00)
    lanes = [lane_on(shard), lane_on(shard)]
    verdicts: list[Verdict] = []
    well_under_way = asyncio.Event()

    async def bid_on(number: int) -> None:
        for bid in random_bids(number, auction_ids=lot_ids, bidder_ids=bidder_ids, count=40):
            verdict = await verdict_of(lanes[number % 2], bid)
            verdicts.append(verdict)
            if len(accepted(verdicts)) >= 60:
                well_under_way.set()

    async def end() -> None:
        await well_under_way.wait()
        await EndShow(shows=shows)(**seller)

    await asyncio.gather(end(), *(bid_on(number) for number in range(12)))
    assert reasons(verdicts) & {"AUCTION_ENDED", "AUCTION_NOT_LIVE"}
    whole = await shows.get(show.show_id, viewer_id=None)
    assert whole.show.state is ShowState.ENDED
    assert [lot.book.state for lot in whole.lots] == [State.ENDED, *[State.CANCELLED] * 11]
    assert await held_minor(shard, bidder_ids) == [0] * len(bidder_ids)
    first = await auctions.get(lot_ids[0])
    winner = [(first.book.leader_id, first.book.price_minor)] if first.book.bid_count else []
    assert await settled(shard, lot_ids[0]) == winner
    late = await verdict_of(lanes[0], bid_of(bidder_ids[0], 99_00, auction_id=lot_ids[1]))
    assert reasons([late]) == {"AUCTION_NOT_LIVE"}
