from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fakes.auction_books import END, SELLER, START, auction_of, terms_of
from fakes.show_books import SHOW_ID, show_of
from kernel.errors import BlytzError
from kernel.money import Money
from svc_auction.domain.auction import CLOCK_TOLERANCE
from svc_auction.domain.book import Outcome, State
from svc_auction.domain.errors import EtagMismatch, StateTransitionInvalid, TermsInvalid
from svc_auction.domain.show import (
    AHEAD_MAX,
    LOTS_MAX,
    Show,
    ShowState,
    ShowUpdate,
    check_rerun,
)
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

Edge = Callable[[Show], ShowEvent]
MILLISECOND = timedelta(milliseconds=1)
LIMIT = Money("USD", 100_00)


def update(show: Show, etag: str = "", **changes: Any) -> ShowEvent:
    return show.update(now=START, etag=etag, update=ShowUpdate(**changes))


def reorder(show: Show, waiting: str, wish: str, etag: str = "") -> ShowEvent:
    return show.reorder(now=START, etag=etag, waiting_ids=list(waiting), lot_ids=list(wish))


EDGES: dict[str, Edge] = {
    "update": lambda s: update(s, title="Monday watches"),
    "postpone": lambda s: update(s, starts_at=END),
    "add_lot": lambda s: s.add_lot(now=START, etag="", lot_id="c"),
    "reorder": lambda s: reorder(s, "ab", "ba"),
    "start": lambda s: s.start(now=START),
    "open": lambda s: s.open_next_lot(now=START, etag="", states={"a": State.QUEUED})[1],
    "end": lambda s: s.end(now=START),
}
LEGAL = {
    (ShowState.SCHEDULED, "update"): (ShowState.SCHEDULED, ShowUpdated),
    (ShowState.SCHEDULED, "postpone"): (ShowState.SCHEDULED, ShowUpdated),
    (ShowState.SCHEDULED, "add_lot"): (ShowState.SCHEDULED, ShowUpdated),
    (ShowState.SCHEDULED, "reorder"): (ShowState.SCHEDULED, ShowUpdated),
    (ShowState.SCHEDULED, "start"): (ShowState.LIVE, ShowStarted),
    (ShowState.SCHEDULED, "end"): (ShowState.ENDED, ShowEnded),
    (ShowState.LIVE, "update"): (ShowState.LIVE, ShowUpdated),
    (ShowState.LIVE, "add_lot"): (ShowState.LIVE, ShowUpdated),
    (ShowState.LIVE, "reorder"): (ShowState.LIVE, ShowUpdated),
    (ShowState.LIVE, "open"): (ShowState.LIVE, ShowUpdated),
    (ShowState.LIVE, "end"): (ShowState.ENDED, ShowEnded),
}
ALL = [(state, edge) for state in ShowState for edge in EDGES]


@pytest.mark.parametrize(("state", "edge"), [pair for pair in ALL if pair in LEGAL])
def test_a_legal_edge_is_one_event_and_a_new_etag(state: ShowState, edge: str) -> None:
    show = show_of(state=state, lot_ids=("a", "b"), revision=7, sequence=7)
    event = EDGES[edge](show)
    assert (show.state, type(event)) == LEGAL[state, edge]
    assert (show.etag, event.sequence, show.sequence) == ("8", 8, 8)


@pytest.mark.parametrize(("state", "edge"), [pair for pair in ALL if pair not in LEGAL])
def test_every_other_edge_raises_and_changes_nothing(state: ShowState, edge: str) -> None:
    show = show_of(state=state, lot_ids=("a", "b"))
    before = replace(show)
    with pytest.raises(ShowStateInvalid) as refused:
        EDGES[edge](show)
    assert refused.value.metadata == {"state": state.name}
    assert show == before


@pytest.mark.parametrize(
    "edge",
    [
        lambda s: update(s, "2", title="x"),
        lambda s: s.add_lot(now=START, etag="2", lot_id="c"),
        lambda s: reorder(s, "ab", "ba", "2"),
        lambda s: s.open_next_lot(now=START, etag="2", states={"a": State.QUEUED}),
    ],
)
def test_a_stale_etag_changes_nothing(edge: Edge) -> None:
    show = show_of(state=ShowState.LIVE, lot_ids=("a", "b"), revision=3)
    before = replace(show)
    with pytest.raises(EtagMismatch):
        edge(show)
    assert show == before


def announce(after: timedelta) -> tuple[Show, ShowEvent]:
    return Show.announce(
        show_id=SHOW_ID,
        seller_id=SELLER,
        seller_name="Sue",
        title="Watches",
        description="",
        image_url="",
        starts_at=START + after,
        bidder_limit=LIMIT,
        now=START,
    )


@pytest.mark.parametrize("after", [-CLOCK_TOLERANCE, timedelta(0), AHEAD_MAX])
def test_a_show_is_announced_for_the_coming_year(after: timedelta) -> None:
    show, event = announce(after)
    assert (show.state, show.lot_ids, show.etag) == (ShowState.SCHEDULED, (), "1")
    assert event == ShowScheduled(sequence=1, occurred_at=START)


@pytest.mark.parametrize("after", [-CLOCK_TOLERANCE - MILLISECOND, AHEAD_MAX + MILLISECOND])
def test_no_show_is_announced_for_another_time(after: timedelta) -> None:
    with pytest.raises(TermsInvalid):
        announce(after)
    show = show_of()
    with pytest.raises(TermsInvalid):
        update(show, starts_at=START + after)
    assert show == show_of()


def test_an_update_leaves_alone_what_it_does_not_name() -> None:
    show = show_of(bidder_limit=LIMIT)
    update(show, description="", image_url="/x.jpg")
    assert show == show_of(
        description="", image_url="/x.jpg", bidder_limit=LIMIT, revision=2, sequence=2
    )
    update(show, lifts_limit=True, starts_at=END)
    assert (show.bidder_limit, show.starts_at) == (None, END)
    update(show, bidder_limit=LIMIT)
    assert show.bidder_limit == LIMIT
    with pytest.raises(TermsInvalid):
        ShowUpdate(bidder_limit=LIMIT, lifts_limit=True)


def test_a_started_show_says_when_it_began() -> None:
    show = show_of(starts_at=END)
    show.start(now=START)
    assert show.starts_at == START
    show.end(now=END)
    assert show.ended_at == END


def test_a_show_has_no_more_lots_than_it_may() -> None:
    show = show_of(lot_ids=tuple(map(str, range(LOTS_MAX - 1))))
    show.add_lot(now=START, etag="", lot_id="last")
    assert show.lot_ids[-1] == "last"
    with pytest.raises(ShowFull):
        show.add_lot(now=START, etag="", lot_id="one more")
    assert len(show.lot_ids) == LOTS_MAX


def test_only_what_waits_gets_a_new_order() -> None:
    show = show_of(state=ShowState.LIVE, lot_ids=tuple("axbyc"))
    reorder(show, "abc", "cab")
    assert show.lot_ids == tuple("xycab")


@pytest.mark.parametrize("wish", ["", "ab", "abcx", "abcc", "abx", "aab"])
def test_an_order_names_exactly_the_lots_that_wait(wish: str) -> None:
    show = show_of(lot_ids=tuple("xabc"))
    with pytest.raises(LotOrderInvalid):
        reorder(show, "abc", wish)
    assert show.lot_ids == tuple("xabc")


def test_the_first_lot_that_waits_is_opened() -> None:
    show = show_of(state=ShowState.LIVE, lot_ids=tuple("abcd"))
    states = {"a": State.ENDED, "d": State.QUEUED, "c": State.QUEUED}
    lot_id, event = show.open_next_lot(now=START, etag="1", states=states)
    assert (lot_id, type(event)) == ("c", ShowUpdated)


@pytest.mark.parametrize("state", [State.LIVE, State.PAUSED])
def test_one_lot_is_up_at_a_time(state: State) -> None:
    show = show_of(state=ShowState.LIVE, lot_ids=tuple("abc"))
    with pytest.raises(LotOpen) as refused:
        show.open_next_lot(now=START, etag="", states={"a": State.QUEUED, "b": state})
    assert refused.value.metadata == {"auction_id": "b"}


def test_nothing_is_opened_where_nothing_waits() -> None:
    show = show_of(state=ShowState.LIVE, lot_ids=tuple("ab"))
    with pytest.raises(NoLotQueued):
        show.open_next_lot(now=START, etag="", states={})


def test_the_lot_that_is_up() -> None:
    show = show_of(state=ShowState.LIVE)
    waiting = auction_of(terms_of(), state=State.QUEUED)
    paused = auction_of(terms_of(), state=State.PAUSED)
    assert show.lot_that_is_up([waiting, paused]) is paused
    with pytest.raises(NoLotOpen):
        show.lot_that_is_up([waiting])
    with pytest.raises(ShowStateInvalid):
        show_of().lot_that_is_up([paused])


def test_a_lot_is_under_the_shows_limit() -> None:
    assert show_of(bidder_limit=LIMIT).terms_of_lot(terms_of()) == terms_of(
        show_id=SHOW_ID, bidder_limit_minor=100_00
    )
    earlier = terms_of(show_id="another", bidder_limit_minor=5)
    assert show_of().terms_of_lot(earlier) == terms_of(show_id=SHOW_ID)
    euro = terms_of(currency_code="EUR")
    assert show_of().terms_of_lot(euro).currency_code == "EUR"
    with pytest.raises(TermsInvalid, match="USD"):
        show_of(bidder_limit=LIMIT).terms_of_lot(euro)


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (State.ENDED, Outcome.NO_BIDS),
        (State.ENDED, Outcome.RESERVE_NOT_MET),
        (State.CANCELLED, Outcome.CANCELLED),
    ],
)
def test_what_found_no_buyer_comes_up_once_more(state: State, outcome: Outcome) -> None:
    check_rerun(auction_of(terms_of(), state=state, outcome=outcome))


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (State.ENDED, Outcome.SOLD),
        (State.ENDED, Outcome.BOUGHT_NOW),
        *((state, None) for state in set(State) - {State.ENDED, State.CANCELLED}),
    ],
)
def test_what_is_sold_or_not_over_does_not(state: State, outcome: Outcome | None) -> None:
    with pytest.raises(StateTransitionInvalid) as refused:
        check_rerun(auction_of(terms_of(), state=state, outcome=outcome))
    assert refused.value.metadata == {"state": state.name}


def test_every_refusal_reads_as_a_sentence() -> None:
    refusals: list[BlytzError] = [
        ShowStateInvalid(state="ENDED"),
        LotOpen(auction_id="a"),
        ShowFull(lots_max=LOTS_MAX),
    ]
    assert [error.message for error in refusals] == [
        "The show is ENDED: this cannot be done with it.",
        "Another lot of the show is up: close it first.",
        "A show has 500 lots at the most.",
    ]
