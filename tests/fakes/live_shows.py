"""A seller's live show as the gateway sees it: one line a command."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration

from blytz.auction.v1 import auction_pb2, show_pb2
from blytz.auction.v1 import auction_service_pb2 as auction_messages
from blytz.auction.v1 import show_service_pb2 as messages
from blytz.events.v1.event_pb2 import Event
from fakes.auction_service import AuctionClients, Metadata, bid_request, in_minutes, usd
from fakes.auction_shards import events_of, rows_of
from fakes.mesh import Refusal, refusal_of
from kernel.ids import new_id, shard_of
from svc_auction.infrastructure.shards import Shard


def show_request(**changes: Any) -> messages.CreateShowRequest:
    """Return a valid request; ``changes`` are merged into it."""
    request = messages.CreateShowRequest(
        request_id=new_id(), title="Sunday watches", starts_at=in_minutes(30)
    )
    request.MergeFrom(messages.CreateShowRequest(**changes))
    return request


def new_lot(title: str = "Cartier Tank", **terms: Any) -> messages.NewLot:
    """Return a live lot from 1.00 on that the wallet funds; ``terms`` are merged into its own."""
    merged = auction_pb2.AuctionTerms(
        format=auction_pb2.AUCTION_FORMAT_LIVE_LOT,
        opening_price=usd(1_00),
        funding_policy=auction_pb2.FUNDING_POLICY_WALLET_HOLD,
        lot_duration=Duration(seconds=600),
    )
    merged.MergeFrom(auction_pb2.AuctionTerms(**terms))
    return messages.NewLot(title=title, terms=merged)


def lot_request(show_id: str, **changes: Any) -> messages.AddLotRequest:
    """Return a valid request for a new lot, unless ``changes`` name another."""
    request = messages.AddLotRequest(request_id=new_id(), show_id=show_id, new_lot=new_lot())
    request.MergeFrom(messages.AddLotRequest(**changes))
    return request


@dataclass
class Stage:
    """One show, and its seller's commands."""

    clients: AuctionClients
    show_id: str

    @classmethod
    async def announce(cls, clients: AuctionClients, **changes: Any) -> "Stage":
        created = await clients.shows.CreateShow(show_request(**changes), metadata=clients.seller)
        return cls(clients, created.show.show_id)

    async def do(self, command: str, **fields: Any) -> Any:
        """Carry out a command of the seller's on the show; return the answer."""
        return await getattr(self.clients.shows, command)(
            self._request(command, fields), metadata=self.clients.seller
        )

    async def refused(self, command: str, by: Metadata | None = None, **fields: Any) -> Refusal:
        """Return how a command is refused."""
        return await refusal_of(
            getattr(self.clients.shows, command),
            self._request(command, fields),
            self.clients.seller if by is None else by,
        )

    def _request(self, command: str, fields: dict[str, Any]) -> Any:
        if command == "AddLot":
            return lot_request(self.show_id, **fields)
        return getattr(messages, f"{command}Request")(show_id=self.show_id, **fields)

    async def add(self, title: str = "Cartier Tank", **terms: Any) -> str:
        """Queue a new lot; return its id."""
        added = await self.do("AddLot", new_lot=new_lot(title, **terms))
        return str(added.lot.auction_id)

    async def get(self, metadata: Metadata | None = None) -> messages.GetShowResponse:
        request = messages.GetShowRequest(show_id=self.show_id)
        return await self.clients.shows.GetShow(request, metadata=metadata or [])

    async def show(self) -> show_pb2.Show:
        return (await self.get()).show

    async def lot(self, auction_id: str) -> auction_pb2.Auction:
        """Return a lot as the show tells it."""
        return {lot.auction_id: lot for lot in (await self.get()).lots}[auction_id]

    async def bid(self, auction_id: str, maximum_minor: int, bidder: Metadata) -> Any:
        return await self.clients.edge.PlaceBid(
            bid_request(auction_id, maximum_minor), metadata=bidder
        )

    async def bid_refused(self, auction_id: str, maximum_minor: int, bidder: Metadata) -> Refusal:
        return await refusal_of(
            self.clients.edge.PlaceBid, bid_request(auction_id, maximum_minor), bidder
        )

    async def close(self, auction_id: str) -> auction_pb2.Auction:
        """End a lot as if its time were over."""
        closed = await self.clients.edge.CloseAuction(
            auction_messages.CloseAuctionRequest(auction_id=auction_id),
            metadata=self.clients.seller,
        )
        return closed.auction


async def check_events(shard: Shard, stage: Stage) -> list[str]:
    """Check that no event of the show or its lots is missing; return the types of the show's."""
    whole = await stage.get()
    for lot in whole.lots:
        events = await events_of(shard, lot.auction_id)
        assert [event.sequence for event in events] == list(range(1, lot.position.sequence + 1))
        assert shard_of(lot.auction_id) == shard_of(stage.show_id)
    rows = await rows_of(
        shard,
        "select topic, payload from outbox where partition_key = %s order by id",
        stage.show_id,
    )
    assert {row[0] for row in rows} == {"show.events"}
    events = [Event.FromString(row[1]) for row in rows]
    assert [event.sequence for event in events] == list(range(1, whole.show.position.sequence + 1))
    assert events[-1].show_changed.show == whole.show
    return [event.type for event in events]
