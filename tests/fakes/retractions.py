"""Retractions on a real Postgres, and an audit of the auctions that they were made in."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fakes.auction_books import terms_of
from fakes.auction_shards import ALIASES, auctions_on, events_of, live_auction, rows_of
from fakes.bank import Bank
from fakes.lane_bids import lane_on
from kernel.ids import new_id
from svc_auction.application.ports import PlacedBid, Retraction
from svc_auction.application.retract_bid import RetractBid
from svc_auction.domain.auction import Auction
from svc_auction.domain.bid_log import record_hash, retraction_hash
from svc_auction.domain.bidding import Bid
from svc_auction.domain.events import BidPlaced
from svc_auction.domain.retraction import Reason, Wish, recount
from svc_auction.domain.terms import Funding
from svc_auction.infrastructure.grpc_retracting import retract_bid_response
from svc_auction.infrastructure.postgres_retractions import PostgresRetractions
from svc_auction.infrastructure.rows import to_bid_placed
from svc_auction.infrastructure.shards import Shard, Shards

LONG_MINUTES = 48 * 60.0
FUNDED = terms_of(funding=Funding.WALLET_HOLD, seller_id=new_id())


def wish_of(placed: PlacedBid, **changes: Any) -> Wish:
    """Return the wish of a bidder to take their bid back."""
    event = placed.event
    wish = Wish(new_id(), placed.auction_id, event.bidder_id, event.bid_id, Reason.TYPING_ERROR)
    return replace(wish, **changes)


def retractions_on(shards: Shards) -> PostgresRetractions:
    return PostgresRetractions(shards=shards, aliases=ALIASES)


def answer_to(retraction: Retraction) -> bytes:
    """Return the answer as it goes over the wire."""
    return retract_bid_response(retraction).SerializeToString(deterministic=True)


@dataclass(frozen=True)
class Saleroom:
    """A bank, and what happens in its auctions."""

    bank: Bank

    @property
    def shard(self) -> Shard:
        return self.bank.shard

    @property
    def retract_bid(self) -> RetractBid:
        return RetractBid(retractions=retractions_on(self.bank.shards), power=self.bank.power)

    async def opened(self, *, minutes: float = LONG_MINUTES, **changes: Any) -> str:
        """Start an auction whose bids are held; return its id."""
        auctions = auctions_on(self.bank.shards)
        return await live_auction(auctions, replace(FUNDED, **changes), minutes=minutes)

    async def bid(self, bid: Bid) -> PlacedBid:
        return await lane_on(self.shard).place(bid)

    async def bidder(self, minor: int = 100_00) -> str:
        """Return somebody whose money is on the shard."""
        bidder_id = new_id()
        self.bank.wallet.available[bidder_id, "USD"] = minor
        await self.bank.top_up(bidder_id, minor)
        return bidder_id

    async def take_home(self, *, spending: Sequence[str] = ()) -> None:
        """Let all idle power go back to the wallets; some people spend it elsewhere."""
        await self.bank.power.return_idle(self.shard, idle_after_s=0)
        await self.bank.make_due()
        await self.bank.power.carry_out(self.shard)
        for bidder_id in spending:
            self.bank.wallet.available[bidder_id, "USD"] = 0

    async def audit(self, *auction_ids: str) -> None:
        """Check that books, logs, events and holds are what the standing bids come to."""
        auctions = auctions_on(self.bank.shards)
        held_minor: Counter[str] = Counter()
        for auction_id in auction_ids:
            auction = await auctions.get(auction_id)
            events = await events_of(self.shard, auction_id)
            sequences = [event.sequence for event in events if event.sequence]
            assert sequences == [*range(1, auction.book.sequence + 1)]
            assert await _log_head(self.shard, auction_id) == auction.book.log_head
            held_minor += await _expected_holds(self.shard, auction)
        rows = await rows_of(
            self.shard, "select bidder_id, held_minor from bidding_power where held_minor > 0"
        )
        assert dict(rows) == dict(held_minor)


async def standing_bids(shard: Shard, auction_id: str) -> list[BidPlaced]:
    rows = await rows_of(
        shard,
        "select auction_id, sequence, epoch, bid_id, bidder_id, request_id, maximum_minor,"
        " price_minor, leader_id, bid_count, ends_at, placed_at, record_hash, won, false"
        " from bids where auction_id = %s and retracted_at is null order by sequence",
        auction_id,
    )
    return [to_bid_placed(row) for row in rows]


async def _expected_holds(shard: Shard, auction: Auction) -> Counter[str]:
    """Return what must be held of whom, and check the book and the sealed maxima with it."""
    auction_id, terms, book = auction.listing.auction_id, auction.terms, auction.book
    standing = await standing_bids(shard, auction_id)
    expected = replace(book)
    recount(terms, expected, standing)
    if not book.is_open:
        expected.held_minor = 0
    assert book == expected
    highest_minor: Counter[str] = Counter()
    for bid in standing:
        highest_minor[bid.bidder_id] = max(highest_minor[bid.bidder_id], bid.maximum_minor)
    funded = terms.funding is Funding.WALLET_HOLD and book.is_open
    sealed = await rows_of(
        shard,
        "select bidder_id, maximum_minor, held_minor from sealed_bids where auction_id = %s",
        auction_id,
    )
    if terms.format.sealed:
        assert {row[0]: row[1] for row in sealed} == dict(highest_minor)
        assert {row[0]: row[2] for row in sealed if row[2]} == (
            dict(highest_minor) if funded else {}
        )
        return highest_minor if funded else Counter()
    assert sealed == []
    if not funded or book.leader_id is None:
        return Counter()
    assert book.held_minor == highest_minor[book.leader_id]
    return Counter({book.leader_id: book.held_minor})


async def _log_head(shard: Shard, auction_id: str) -> bytes:
    """Return the head of the log as its records make it, one after another."""
    bids = await rows_of(
        shard,
        "select sequence, bid_id, bidder_id, maximum_minor, price_minor, placed_at, salt,"
        " record_hash from bids where auction_id = %s",
        auction_id,
    )
    retractions = await rows_of(
        shard,
        "select sequence, retraction_id, bidder_id, price_minor, retracted_at, sequences,"
        " salt, record_hash from retractions where auction_id = %s",
        auction_id,
    )
    bid_names = "sequence bid_id bidder_id maximum_minor price_minor placed_at salt".split()
    names = "sequence retraction_id bidder_id price_minor retracted_at sequences salt".split()
    records: list[tuple[Callable[..., bytes], dict[str, Any], bytes]]
    records = [(record_hash, dict(zip(bid_names, row, strict=False)), row[-1]) for row in bids]
    records += [
        (retraction_hash, dict(zip(names, row, strict=False)), row[-1]) for row in retractions
    ]
    head = b""
    for hash_of, facts, stored in sorted(records, key=lambda record: record[1]["sequence"]):
        head = hash_of(previous=head, auction_id=auction_id, **facts)
        assert head == stored
    return head
