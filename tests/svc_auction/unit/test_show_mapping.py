import pytest

from blytz.auction.v1 import show_pb2
from blytz.events.v1.event_pb2 import Event
from fakes.auction_books import END, SELLER, START
from fakes.show_books import SHOW_ID, show_of
from kernel.money import Money
from svc_auction.domain.show import Show, ShowState
from svc_auction.domain.show_events import (
    ShowEnded,
    ShowEvent,
    ShowScheduled,
    ShowStarted,
    ShowUpdated,
)
from svc_auction.infrastructure.proto_mapping import to_timestamp
from svc_auction.infrastructure.show_mapping import show_event, show_message
from svc_auction.infrastructure.show_rows import show_parameters, to_show

COLUMNS = (
    "show_id seller_id seller_name title description image_url state starts_at ended_at lot_ids"
    " limit_currency bidder_limit_minor revision sequence created_at"
).split()
ENDED = show_of(
    state=ShowState.ENDED,
    ended_at=END,
    lot_ids=("a", "b"),
    bidder_limit=Money("EUR", 77_00),
    revision=9,
    sequence=9,
)


def test_an_announced_show_as_anyone_may_see_it() -> None:
    message = show_message(show_of())
    assert (message.show_id, message.seller_id, message.seller_name) == (
        SHOW_ID,
        SELLER,
        "Sue's shop",
    )
    assert (message.title, message.description, message.image_url) == (
        "Sunday watches",
        "They tick.",
        "/w.jpg",
    )
    assert message.state == show_pb2.SHOW_STATE_SCHEDULED
    assert message.starts_at == message.created_at == to_timestamp(START)
    assert not message.HasField("ended_at")
    assert not message.HasField("bidder_limit")
    assert (message.etag, message.position.epoch, message.position.sequence) == ("1", 1, 1)


def test_a_show_that_is_over() -> None:
    message = show_message(ENDED)
    assert message.ended_at == to_timestamp(END)
    assert (message.bidder_limit.currency_code, message.bidder_limit.amount_minor) == ("EUR", 77_00)
    assert list(message.lot_ids) == ["a", "b"]
    assert (message.etag, message.position.sequence) == ("9", 9)


@pytest.mark.parametrize("state", ShowState)
def test_the_states_are_the_contracts(state: ShowState) -> None:
    assert show_pb2.ShowState.Name(show_message(show_of(state=state)).state).endswith(state.name)


@pytest.mark.parametrize(
    ("kind", "type_name"),
    [
        (ShowScheduled, "show.scheduled"),
        (ShowUpdated, "show.updated"),
        (ShowStarted, "show.started"),
        (ShowEnded, "show.ended"),
    ],
)
def test_an_event_carries_the_show_after_it(kind: type[ShowEvent], type_name: str) -> None:
    sent = show_event(ENDED, kind(sequence=9, occurred_at=END))
    event = Event.FromString(sent.payload)
    assert (sent.topic, sent.key) == ("show.events", SHOW_ID)
    assert (event.type, event.aggregate_id, event.epoch, event.sequence) == (
        type_name,
        SHOW_ID,
        1,
        9,
    )
    assert event.occurred_at == to_timestamp(END)
    assert event.show_changed.show == show_message(ENDED)


@pytest.mark.parametrize("show", [show_of(), ENDED], ids=["announced", "ended"])
def test_a_row_holds_all_of_a_show(show: Show) -> None:
    parameters = show_parameters(show)
    assert set(parameters) == set(COLUMNS)
    assert to_show(tuple(parameters[name] for name in COLUMNS)) == show
