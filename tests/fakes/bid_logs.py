"""Bid logs written by the rules themselves, for tests of what is told from them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fakes.auction_books import START, auction_of, bid_of
from kernel.errors import BlytzError
from kernel.ids import new_id
from svc_auction.domain.auction import Auction
from svc_auction.domain.bidding import accept_bid, check_amount, check_open
from svc_auction.domain.events import BidPlaced, BidsRetracted
from svc_auction.domain.log_records import LoggedBid, LoggedRetraction, LogRecord
from svc_auction.domain.log_verification import Finding, LogVerification
from svc_auction.domain.retraction import Reason, retract
from svc_auction.domain.terms import Terms

Happening = BidPlaced | BidsRetracted


@dataclass
class PlayedAuction:
    """A live auction and what has happened to it; every bid is a second after the one before."""

    auction: Auction
    happenings: list[Happening] = field(default_factory=list)
    now: datetime = START

    @classmethod
    def of(cls, terms: Terms) -> "PlayedAuction":
        return cls(auction_of(terms))

    @property
    def standing(self) -> list[BidPlaced]:
        gone = {s for h in self.happenings if isinstance(h, BidsRetracted) for s in h.sequences}
        bids = [h for h in self.happenings if isinstance(h, BidPlaced)]
        return [bid for bid in bids if bid.sequence not in gone]

    def bid(self, bidder_id: str, maximum_minor: int, *, buys: bool = False) -> bool:
        """Place a bid; False if the rules refuse it."""
        terms, book = self.auction.terms, self.auction.book
        self.now += timedelta(seconds=1)
        bid = bid_of(bidder_id, maximum_minor, buys=buys)
        own = [b.maximum_minor for b in self.standing if b.bidder_id == bidder_id]
        counts = terms.format.sealed or book.leader_id == bidder_id
        try:
            check_open(terms, book, bid, self.now)
            check_amount(terms, book, bid, self.now, own_minor=max(own, default=0) if counts else 0)
        except BlytzError:
            return False
        placed, _ = accept_bid(terms, book, bid, self.now)
        self.happenings.append(placed)
        return True

    def retract(self, bidder_id: str, *, latest_only: bool = False) -> bool:
        """Take back a bidder's bids, or the latest; False if there is none."""
        own = [bid for bid in self.standing if bid.bidder_id == bidder_id]
        if not own or not self.auction.book.is_open:
            return False
        self.now += timedelta(seconds=1)
        retracted = retract(
            self.auction,
            self.standing,
            own[-1:] if latest_only else own,
            request_id=new_id(),
            reason=Reason.TYPING_ERROR,
            now=self.now,
        )
        self.happenings.append(retracted)
        return True

    def records(self) -> list[LogRecord]:
        """Return the log as it would be read back."""
        standing = {bid.sequence for bid in self.standing}
        return [
            LoggedBid(
                happening.sequence,
                happening.bid_id,
                happening.bidder_id,
                happening.maximum_minor,
                happening.price_minor,
                happening.leader_id,
                happening.bid_count,
                happening.occurred_at,
                happening.record_hash,
                happening.won,
                happening.sequence not in standing,
                happening.salt,
            )
            if isinstance(happening, BidPlaced)
            else LoggedRetraction(
                happening.sequence,
                happening.retraction_id,
                happening.bidder_id,
                happening.price_minor,
                happening.leader_id,
                happening.occurred_at,
                happening.record_hash,
                happening.sequences,
                happening.salt,
            )
            for happening in self.happenings
        ]

    def verification(self, records: Sequence[LogRecord] | None = None) -> LogVerification:
        """Follow these records, or the auction's own."""
        verification = LogVerification(self.auction.terms, self.auction.book)
        for record in self.records() if records is None else records:
            if isinstance(record, LoggedBid):
                verification.follow_bid(record)
            else:
                for _ in verification.follow_retraction(record):
                    pass
        return verification

    def finding(self, records: Sequence[LogRecord] | None = None) -> Finding:
        return self.verification(records).finding()

    def price_without(self, bidder_id: str) -> int:
        steps = self.verification().price_without(bidder_id)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return int(done.value)
