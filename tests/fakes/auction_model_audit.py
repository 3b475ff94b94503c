"""Everything that can be seen of the service, held against the model: answers, rows and money."""

from datetime import UTC, datetime
from typing import Any

from blytz.auction.v1 import auction_service_pb2 as messages
from fakes.auction_model import Lot
from fakes.auction_model_market import Market
from fakes.auction_model_rules import OPEN_STAGES, SEALED, Funds, Stage
from fakes.auction_replicas import Replica, Replicas
from fakes.mesh import Refusal

BUYABLE = frozenset({Stage.LIVE, Stage.QUEUED})


def time_of(timestamp: Any) -> datetime:
    at: datetime = timestamp.ToDatetime(tzinfo=UTC)
    return at


class Audit:
    """Compares; ``aliases`` are those that bidders were answered under, by lot and bidder."""

    def __init__(self, replicas: Replicas, market: Market) -> None:
        self.replicas = replicas
        self.market = market
        self.aliases: dict[tuple[str, str], str] = {}

    def know_alias(self, lot_id: str, bidder: str, alias: str) -> None:
        assert alias
        assert self.aliases.setdefault((lot_id, bidder), alias) == alias

    async def check_shown(self, replica: Replica, lot_id: str, viewer: str, person: Any) -> None:
        """Check what one viewer is shown of a lot."""
        lot = self.market.lots[lot_id]
        request = messages.GetAuctionRequest(auction_id=lot_id)
        shown, _ = await replica.call("GetAuction", request, person)
        if not lot.was_public and viewer != lot.seller:
            assert isinstance(shown, Refusal)
            assert shown.reason == "AUCTION_NOT_FOUND"
            return
        assert not isinstance(shown, Refusal), shown
        auction, (end, moved) = shown.auction, lot.end
        leader = "" if lot.hidden else lot.leader
        reached = bool(leader) and lot.top is not None
        reached = reached and self._top_amount(lot) >= (lot.rules.reserve or 0)
        expected = {
            "state": lot.stage,
            "outcome": lot.result,
            "price": lot.shown_price,
            "minimum_next_bid": lot.minimum_next,
            "bid_count": len(lot.standing),
            "leader": self.aliases[lot_id, leader] if leader else "",
            "leader_id": leader if viewer == lot.seller else "",
            "ends_at": end if lot.stage is not Stage.DRAFT else None,
            "moved": moved,
            "reserve": 1 if lot.rules.reserve is None else 3 if reached else 2,
            "buy_now": lot.stage in BUYABLE and lot.buy_now_offered,
            "paused": lot.stage is Stage.PAUSED,
        }
        actual = {
            "state": auction.state,
            "outcome": auction.outcome,
            "price": auction.price.amount_minor,
            "minimum_next_bid": auction.minimum_next_bid.amount_minor,
            "bid_count": auction.bid_count,
            "leader": auction.leader_alias,
            "leader_id": auction.leader_id,
            "ends_at": time_of(auction.ends_at) if auction.HasField("ends_at") else None,
            "moved": auction.extension_count,
            "reserve": auction.reserve_status,
            "buy_now": auction.buy_now_offered,
            "paused": auction.HasField("paused_at"),
        }
        assert actual == expected
        self._check_standing(lot, lot_id, viewer, shown)

    def _top_amount(self, lot: Lot) -> int:
        top = lot.top
        if top is None:
            return 0
        return (lot.rules.buy_now or 0) if top.bought else top.maximum

    def _check_standing(self, lot: Lot, lot_id: str, viewer: str, shown: Any) -> None:
        own_maximum = lot.own_maximum(viewer)
        assert shown.HasField("own_standing") == bool(own_maximum)
        if own_maximum:
            own = shown.own_standing
            actual = (own.alias, own.leading, own.maximum.amount_minor)
            leads = viewer == lot.leader and not lot.hidden
            assert actual == (self.aliases[lot_id, viewer], leads, own_maximum)

    async def check_rows(self) -> None:
        """Check all rows of this market's lots, bids, holds and settlements."""
        keys = {"lots": list(self.market.lots), "bidders": list(self.market.money)}
        await self._check_books(keys)
        await self._check_bids(keys)
        await self._check_money(keys)
        await self._check_settlements(keys)

    async def _check_books(self, keys: dict[str, Any]) -> None:
        rows = await self.replicas.rows(
            "select auction_id, state, coalesce(outcome, 0), price_minor, coalesce(leader_id::text,"
            " ''), held_minor, bid_count, extension_count, ends_at"
            " from books where auction_id = any(%(lots)s::uuid[])",
            keys,
        )
        expected = set()
        for lot_id, lot in self.market.lots.items():
            end, moved = lot.end
            held = 0 if lot.rules.kind in SEALED else lot.held(lot.leader)
            standing = (lot.price, lot.leader, held, len(lot.standing), moved, end)
            expected.add((lot_id, lot.stage, lot.result, *standing))
        assert set(rows) == expected

    async def _check_bids(self, keys: dict[str, Any]) -> None:
        rows = await self.replicas.rows(
            "select auction_id, bid_id, bidder_id, maximum_minor, placed_at,"
            " retracted_at is not null from bids"
            " where auction_id = any(%(lots)s::uuid[]) order by auction_id, sequence",
            keys,
        )
        expected = [
            (lot_id, bid.bid_id, bid.bidder, bid.maximum, bid.at, bid.gone)
            for lot_id, lot in sorted(self.market.lots.items())
            for bid in lot.accepted
        ]
        assert rows == expected

    async def _check_money(self, keys: dict[str, Any]) -> None:
        rows = await self.replicas.rows(
            "select p.bidder_id, p.allotted_minor, p.held_minor,"
            " coalesce((select sum(b.held_minor) from books as b"
            "           where b.leader_id = p.bidder_id), 0)"
            " + coalesce((select sum(s.held_minor) from sealed_bids as s"
            "             where s.bidder_id = p.bidder_id), 0)"
            " from bidding_power as p where bidder_id = any(%(bidders)s::uuid[])",
            keys,
        )
        by_bidder = {row[0]: row[1:] for row in rows}
        wallet, market = self.replicas.wallet, self.market
        for bidder in market.money:
            allotted, held, held_by_lots = by_bidder.get(bidder, (0, 0, 0))
            assert held == held_by_lots == market.held(bidder)
            assert held <= allotted
            owned = wallet.available[bidder, "USD"] + allotted
            assert owned == market.money[bidder] - market.spent(bidder)

    async def _check_settlements(self, keys: dict[str, Any]) -> None:
        rows = await self.replicas.rows(
            "select auction_id, bidder_id, seller_id, amount_minor from power_transfers"
            " where kind = 3 and auction_id = any(%(lots)s::uuid[]) order by auction_id",
            keys,
        )
        expected = [
            (lot_id, lot.leader, lot.seller, lot.price)
            for lot_id, lot in sorted(self.market.lots.items())
            if lot.rules.funds is Funds.WALLET and lot.won_by(lot.leader)
        ]
        assert rows == expected

    async def check_paid(self) -> None:
        """Check, once all is carried out, that every sale was paid to its seller, once."""
        await self.replicas.carry_out(list(self.market.money))
        market, wallet = self.market, self.replicas.wallet
        for seller in {lot.seller for lot in market.lots.values()}:
            earned = sum(
                lot.price
                for lot in market.lots.values()
                if lot.seller == seller
                and lot.rules.funds is Funds.WALLET
                and lot.won_by(lot.leader)
            )
            assert wallet.earned[seller, "USD"] == earned
        for bidder in market.money:
            left = wallet.available[bidder, "USD"] + wallet.allotted[bidder, 0, "USD"]
            assert left == market.money[bidder] - market.spent(bidder)

    async def check_logs(self, replica: Replica) -> None:
        """Check that the logs of all lots prove what the model says, and leave no gap."""
        for lot_id, lot in self.market.lots.items():
            rows = await self.replicas.rows(
                "select count(*), max(b.sequence) from outbox as o, books as b"
                " where o.partition_key = %(lot)s and b.auction_id = %(lot)s::uuid"
                " and o.topic = 'auction.events'",
                {"lot": lot_id},
            )
            assert rows[0][0] == rows[0][1]
            request = messages.VerifyBidLogRequest(auction_id=lot_id)
            if lot.stage not in OPEN_STAGES | {Stage.ENDED}:
                continue
            proof, _ = await replica.call("VerifyBidLog", request)
            assert not isinstance(proof, Refusal), proof
            assert (proof.valid, proof.fault) == (True, "")
            if not lot.hidden:
                assert proof.price.amount_minor == lot.price
