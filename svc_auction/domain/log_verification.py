"""Verification of a bid log: what its records come to if only the rules are believed.

Records are followed one by one, oldest first: each must carry the hash of itself and of the one
before, and the price and the leader that the terms' format makes of the maxima that stand. A
retraction is a recount of what stands after it. At the end the book must say the same.

Whoever asks may be anyone, so no fault tells an amount or a bidder.
"""

from array import array
from bisect import bisect_left
from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from svc_auction.domain.book import Book, Outcome, State
from svc_auction.domain.closing import outcome_of
from svc_auction.domain.log_records import LoggedBid, LoggedRetraction, LogRecord
from svc_auction.domain.terms import Terms

STEP_BIDS = 1_000
"""How many bids a recount takes in before it lets others have a turn."""

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of a recounted bid: it matters to falling prices alone, and those know but one bid."""

Steps = Generator[None, None, None]
"""A long computation that pauses, so that whoever runs it can do something else."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a log comes to; all but the faults is as recomputed.

    ``first_fault_sequence`` numbers the first record that does not follow, 0 if all do. ``fault``
    says what is wrong with it, or with the book if all records follow; it is empty if nothing is.
    """

    record_count: int
    head: bytes
    price_minor: int
    leader_id: str | None
    first_fault_sequence: int
    fault: str

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.fault


class LogVerification:
    """Follows the records of one auction, and holds what they come to.

    Bids are kept as three numbers each: a retraction, and the price without a bidder, need them
    all once more.
    """

    def __init__(self, terms: Terms, book: Book) -> None:
        self._terms = terms
        self._book = book
        self._replayed = self._blank()
        self._head = b""
        self._record_count = 0
        self._sequence = 0
        self._winner_id: str | None = None
        self._fault: tuple[int, str] | None = None
        self._sequences, self._maxima_minor = array("q"), array("q")
        self._bidders, self._bidder_ids = array("L"), list[str]()
        self._bidder_numbers: dict[str, int] = {}
        self._highest_minor: dict[int, int] = {}
        self._gone: set[int] = set()
        self._marked: set[int] = set()

    def follow_bid(self, bid: LoggedBid) -> None:
        """Take the next record in, which is a bid."""
        self._begin(bid)
        bidder = self._number_of(bid.bidder_id)
        if problem := self._amount_problem(bid, bidder):
            self._note(bid.sequence, problem)
        self._enter(bid)
        self._sequences.append(bid.sequence)
        self._bidders.append(bidder)
        self._maxima_minor.append(bid.maximum_minor)
        highest_minor = self._highest_minor.get(bidder, 0)
        self._highest_minor[bidder] = max(highest_minor, bid.maximum_minor)
        if bid.retracted:
            self._marked.add(bid.sequence)
        if bid.bid_count != self._replayed.bid_count:
            self._note(bid.sequence, "a bid before it is missing, or it does not count on from it")
        self._compare(bid)

    def follow_retraction(self, retraction: LoggedRetraction) -> Steps:
        """Take the next record in, which is a retraction, step by step."""
        self._begin(retraction)
        bidder = self._number_of(retraction.bidder_id)
        if not retraction.sequences or not all(
            self._stands(sequence, bidder) for sequence in retraction.sequences
        ):
            self._note(retraction.sequence, "it takes back what is no standing bid of its bidder")
        self._gone.update(retraction.sequences)
        self._replayed = self._blank()
        self._highest_minor = {}
        yield from self._count(self._replayed, self._highest_minor, without=None)
        self._compare(retraction)

    def price_without(self, bidder_id: str) -> Generator[None, None, int]:
        """Return, step by step, the price if a bidder had never been there, in minor units.

        It is what the other bids that stand come to, the opening price if there are none. A sale to
        somebody else at a price that they took, by a purchase or in a Dutch auction, stays as it
        is. Had the winner of a Dutch auction not been there, its price would have fallen on: it is
        then what the schedule asks at the announced end.
        """
        book, terms = self._replayed, self._terms
        if self._winner_id not in {None, bidder_id}:
            return book.price_minor
        if terms.format.falls:
            if self._winner_id is None or book.announced_end_at is None:
                return book.price_minor
            return terms.format.asking_minor(terms, book, book.announced_end_at)
        recounted = self._blank()
        without = self._bidder_numbers.get(bidder_id)
        yield from self._count(recounted, {}, without=without)
        return recounted.price_minor

    def finding(self) -> Finding:
        """Compare with the book, and return what the log comes to."""
        book = self._replayed
        sequence, fault = self._fault or (0, "")
        stray = self._marked ^ self._gone
        if stray and not fault:
            sequence, fault = min(stray), "its mark as taken back is not what the retractions say"
        return Finding(
            record_count=self._record_count,
            head=self._head,
            price_minor=book.price_minor,
            leader_id=book.leader_id,
            first_fault_sequence=sequence,
            fault=fault or self._book_problem(),
        )

    def _blank(self) -> Book:
        """Return the book of the auction as it was before the first bid."""
        return replace(
            self._book,
            price_minor=self._terms.opening_minor,
            leader_id=None,
            leader_maximum_minor=0,
            bid_count=0,
            paused_at=None,
        )

    def _begin(self, record: LogRecord) -> None:
        """Check what a record is by its place in the log: its number and its hash."""
        self._record_count += 1
        if not self._sequence < record.sequence <= self._book.sequence:
            self._note(record.sequence, "its number lies outside the auction's events")
        if self._winner_id is not None:
            self._note(record.sequence, "it comes after the bid that ended the auction")
        self._sequence = record.sequence
        self._head = record.hash_after(self._head, self._book.auction_id)
        if self._head != record.record_hash:
            self._note(record.sequence, "its hash does not follow from it and the record before")

    def _number_of(self, bidder_id: str) -> int:
        number = self._bidder_numbers.get(bidder_id)
        if number is None:
            number = self._bidder_numbers[bidder_id] = len(self._bidder_ids)
            self._bidder_ids.append(bidder_id)
        return number

    def _stands(self, sequence: int, bidder: int) -> bool:
        """Say whether a number is that of a bid of the bidder's that counts."""
        place = bisect_left(self._sequences, sequence)
        return (
            place < len(self._sequences)
            and self._sequences[place] == sequence
            and self._bidders[place] == bidder
            and sequence not in self._gone
        )

    def _amount_problem(self, bid: LoggedBid, bidder: int) -> str:
        """Return why the rules would have refused the amount, or nothing."""
        terms, book = self._terms, self._replayed
        if bid.won and not terms.format.falls:
            bought = terms.buy_now is not None and bid.maximum_minor >= terms.buy_now.price_minor
            return "" if bought else "it ended an auction that could not be bought for it"
        if bid.won != terms.format.falls:
            return "the first bid ends a Dutch auction, and this one did not"
        if bid.maximum_minor < terms.format.asking_minor(terms, book, bid.placed_at):
            return "its maximum is below the least that was accepted then"
        leads = bid.bidder_id == book.leader_id
        own_minor = self._highest_minor.get(bidder, 0) if terms.format.sealed or leads else 0
        if bid.maximum_minor <= own_minor:
            return "its maximum does not raise the one that its bidder had"
        return ""

    def _enter(self, bid: LoggedBid) -> None:
        terms, book = self._terms, self._replayed
        if bid.won:
            self._winner_id = bid.bidder_id
        if bid.won and terms.buy_now is not None:
            book.leader_id = bid.bidder_id
            book.price_minor = book.leader_maximum_minor = terms.buy_now.price_minor
        else:
            terms.format.enter(terms, book, bid.bidder_id, bid.maximum_minor, bid.placed_at)
        book.bid_count += 1

    def _compare(self, record: LogRecord) -> None:
        if record.price_minor != self._replayed.price_minor:
            self._note(record.sequence, "its price does not follow from the bids that stand")
        if record.leader_id != self._replayed.leader_id:
            self._note(record.sequence, "its leader does not follow from the bids that stand")

    def _count(self, book: Book, highest_minor: dict[int, int], *, without: int | None) -> Steps:
        """Enter all bids that stand, but for one bidder's, into a book without any."""
        terms = self._terms
        for place, sequence in enumerate(self._sequences):
            if place % STEP_BIDS == STEP_BIDS - 1:
                yield
            bidder, maximum_minor = self._bidders[place], self._maxima_minor[place]
            if bidder == without or sequence in self._gone:
                continue
            bidder_id = self._bidder_ids[bidder]
            book.bid_count += 1
            highest_minor[bidder] = max(highest_minor.get(bidder, 0), maximum_minor)
            if bidder_id != book.leader_id or maximum_minor > book.leader_maximum_minor:
                terms.format.enter(terms, book, bidder_id, maximum_minor, _ANY_TIME)

    def _book_problem(self) -> str:
        """Return what the book says otherwise than its log, or nothing."""
        book, replayed = self._book, self._replayed
        said = {
            "last hash": (book.log_head, self._head),
            "price": (book.price_minor, replayed.price_minor),
            "leader": (book.leader_id, replayed.leader_id),
            "leading maximum": (book.leader_maximum_minor, replayed.leader_maximum_minor),
            "number of bids": (book.bid_count, replayed.bid_count),
            "outcome": (book.outcome, self._outcome()),
        }
        wrong = [name for name, (written, follows) in said.items() if written != follows]
        if not wrong:
            return ""
        return f"all records follow, but the auction has another {' and another '.join(wrong)}"

    def _outcome(self) -> Outcome | None:
        """Return how the auction must have ended, if it has."""
        if self._book.state is State.CANCELLED:
            return Outcome.CANCELLED
        if self._winner_id is not None:
            return Outcome.SOLD if self._terms.format.falls else Outcome.BOUGHT_NOW
        if self._book.state is State.ENDED:
            return outcome_of(self._terms, self._replayed)
        return None

    def _note(self, sequence: int, problem: str) -> None:
        """Remember the first fault."""
        if self._fault is None:
            self._fault = (sequence, problem)
