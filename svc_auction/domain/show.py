"""A show: an evening of a seller's, whose lots come up one after another.

The lots are auctions of their own. The show keeps their order and the limit for bidders, and sees
to it that one lot is up at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from kernel.money import Money
from svc_auction.domain.auction import CLOCK_TOLERANCE, Auction
from svc_auction.domain.book import Outcome, State
from svc_auction.domain.errors import EtagMismatch, StateTransitionInvalid, TermsInvalid
from svc_auction.domain.show_errors import (
    LotOpen,
    LotOrderInvalid,
    NoLotOpen,
    NoLotQueued,
    ShowFull,
    ShowStateInvalid,
)
from svc_auction.domain.show_events import (
    ShowEnded,
    ShowEvent,
    ShowScheduled,
    ShowStarted,
    ShowUpdated,
)
from svc_auction.domain.terms import Terms

LOTS_MAX = 500
"""How many lots a show has at the most, those that are over included."""
AHEAD_MAX = timedelta(days=365)
"""How far ahead a show may be announced."""
EPOCH = 1
"""The epoch of every show's log."""
UP = frozenset({State.LIVE, State.PAUSED})
"""The states of the lot that is up; at most one lot of a show is in one of them."""
_UNSOLD = frozenset({Outcome.NO_BIDS, Outcome.RESERVE_NOT_MET, Outcome.CANCELLED})


class ShowState(IntEnum):
    """Where a show stands; the numbers are the contract's."""

    SCHEDULED = 1
    LIVE = 2
    ENDED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowUpdate:
    """What is to change of a show; None leaves it as it is."""

    title: str | None = None
    description: str | None = None
    image_url: str | None = None
    starts_at: datetime | None = None
    bidder_limit: Money | None = None
    lifts_limit: bool = False

    def __post_init__(self) -> None:
        if self.lifts_limit and self.bidder_limit is not None:
            raise TermsInvalid(problem="the limit cannot be set and lifted at once")

    @property
    def changes_limit(self) -> bool:
        """Whether the limit for bidders is set or lifted."""
        return self.lifts_limit or self.bidder_limit is not None


@dataclass(slots=True, kw_only=True)
class Show:
    """A show as a whole; its methods are the edges of its state machine.

    ``lot_ids`` are in the order in which the lots come up, those that are over included.
    ``revision`` counts the changes, ``sequence`` is the number of the show's last event.
    """

    show_id: str
    seller_id: str
    seller_name: str
    title: str
    description: str
    image_url: str
    state: ShowState
    starts_at: datetime
    ended_at: datetime | None
    lot_ids: tuple[str, ...]
    bidder_limit: Money | None
    revision: int
    sequence: int
    created_at: datetime

    @property
    def etag(self) -> str:
        """The version of the show, for concurrent edits."""
        return str(self.revision)

    @classmethod
    def announce(
        cls,
        *,
        show_id: str,
        seller_id: str,
        seller_name: str,
        title: str,
        description: str,
        image_url: str,
        starts_at: datetime,
        bidder_limit: Money | None,
        now: datetime,
    ) -> tuple["Show", ShowEvent]:
        """Return a new show without lots, and its first event."""
        _check_start(starts_at, now)
        show = cls(
            show_id=show_id,
            seller_id=seller_id,
            seller_name=seller_name,
            title=title,
            description=description,
            image_url=image_url,
            state=ShowState.SCHEDULED,
            starts_at=starts_at,
            ended_at=None,
            lot_ids=(),
            bidder_limit=bidder_limit,
            revision=1,
            sequence=1,
            created_at=now,
        )
        return show, ShowScheduled(sequence=1, occurred_at=now)

    def update(self, *, now: datetime, etag: str, update: ShowUpdate) -> ShowEvent:
        """Change what the show says of itself, when it starts, or the limit for bidders."""
        self._check_etag(etag)
        self._require({ShowState.SCHEDULED, ShowState.LIVE})
        if update.starts_at is not None:
            self._require({ShowState.SCHEDULED})
            _check_start(update.starts_at, now)
            self.starts_at = update.starts_at
        if update.title is not None:
            self.title = update.title
        if update.description is not None:
            self.description = update.description
        if update.image_url is not None:
            self.image_url = update.image_url
        if update.changes_limit:
            self.bidder_limit = update.bidder_limit
        return self._changed(ShowUpdated, now)

    def terms_of_lot(self, terms: Terms) -> Terms:
        """Return the terms of a lot under the show's present limit, which is in its currency."""
        limit = self.bidder_limit
        if limit is not None:
            self.check_currencies({terms.currency_code})
        return terms.as_lot_of(
            self.show_id, bidder_limit_minor=None if limit is None else limit.amount_minor
        )

    def check_currencies(self, currency_codes: Collection[str]) -> None:
        """Raise ``TermsInvalid`` if the limit cannot be counted in the lots' currencies."""
        limit = self.bidder_limit
        if limit is not None and not set(currency_codes) <= {limit.currency_code}:
            raise TermsInvalid(
                problem=f"a lot is not in {limit.currency_code}, the currency of the show's limit"
            )

    def add_lot(self, *, now: datetime, etag: str, lot_id: str) -> ShowEvent:
        """Put a lot at the end of the queue."""
        self._check_etag(etag)
        self._require({ShowState.SCHEDULED, ShowState.LIVE})
        if len(self.lot_ids) >= LOTS_MAX:
            raise ShowFull(lots_max=LOTS_MAX)
        self.lot_ids = (*self.lot_ids, lot_id)
        return self._changed(ShowUpdated, now)

    def reorder(
        self, *, now: datetime, etag: str, waiting_ids: Collection[str], lot_ids: Sequence[str]
    ) -> ShowEvent:
        """Give the lots that wait a new order; the others keep theirs, before them."""
        self._check_etag(etag)
        self._require({ShowState.SCHEDULED, ShowState.LIVE})
        if sorted(lot_ids) != sorted(waiting_ids):
            raise LotOrderInvalid
        waiting = frozenset(waiting_ids)
        self.lot_ids = (*(i for i in self.lot_ids if i not in waiting), *lot_ids)
        return self._changed(ShowUpdated, now)

    def start(self, *, now: datetime) -> ShowEvent:
        """Open the show, earlier or later than it was announced."""
        self._require({ShowState.SCHEDULED})
        self.state, self.starts_at = ShowState.LIVE, now
        return self._changed(ShowStarted, now)

    def open_next_lot(
        self, *, now: datetime, etag: str, states: Mapping[str, State]
    ) -> tuple[str, ShowEvent]:
        """Return the id of the first lot that waits; ``states`` are those of lots not yet over."""
        self._check_etag(etag)
        self._require({ShowState.LIVE})
        for lot_id in self.lot_ids:
            if states.get(lot_id) in UP:
                raise LotOpen(auction_id=lot_id)
        for lot_id in self.lot_ids:
            if states.get(lot_id) is State.QUEUED:
                return lot_id, self._changed(ShowUpdated, now)
        raise NoLotQueued

    def lot_that_is_up(self, lots: Sequence[Auction]) -> Auction:
        """Return the one lot whose clock runs or is stopped."""
        self._require({ShowState.LIVE})
        for lot in lots:
            if lot.book.state in UP:
                return lot
        raise NoLotOpen

    def end(self, *, now: datetime) -> ShowEvent:
        """End the show, or call it off before it has started."""
        self._require({ShowState.SCHEDULED, ShowState.LIVE})
        self.state, self.ended_at = ShowState.ENDED, now
        return self._changed(ShowEnded, now)

    def _check_etag(self, etag: str) -> None:
        if etag and etag != self.etag:
            raise EtagMismatch

    def _require(self, allowed: set[ShowState]) -> None:
        if self.state not in allowed:
            raise ShowStateInvalid(state=self.state.name)

    def _changed(self, event: type[ShowEvent], now: datetime) -> ShowEvent:
        self.revision += 1
        self.sequence += 1
        return event(sequence=self.sequence, occurred_at=now)


def check_rerun(auction: Auction) -> None:
    """Raise ``StateTransitionInvalid`` unless an auction is over and nobody got what was sold."""
    book = auction.book
    if book.is_open or book.outcome not in _UNSOLD:
        raise StateTransitionInvalid(state=book.state.name, wanted="put up once more")


def _check_start(starts_at: datetime, now: datetime) -> None:
    if starts_at < now - CLOCK_TOLERANCE:
        raise TermsInvalid(problem="the start lies in the past")
    if starts_at > now + AHEAD_MAX:
        raise TermsInvalid(problem="a show is announced a year ahead at the most")
