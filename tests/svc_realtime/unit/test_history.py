import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc_realtime.domain.history import History, HistoryLimits


def test_between_returns_exactly_the_updates_that_are_asked_for() -> None:
    history = History(base=10, limits=HistoryLimits())
    for number in range(11, 16):
        history.append(str(number).encode())
    assert history.last == 15
    assert history.between(10, 15) == [b"11", b"12", b"13", b"14", b"15"]
    assert history.between(12, 14) == [b"13", b"14"]
    assert history.between(15, 15) == []


@pytest.mark.parametrize(("start", "end"), [(9, 12), (12, 16), (13, 12), (16, 16)])
def test_between_is_never_partial(start: int, end: int) -> None:
    history = History(base=10, limits=HistoryLimits())
    for number in range(11, 16):
        history.append(str(number).encode())
    assert history.between(start, end) is None


@given(
    st.lists(st.binary(max_size=40), max_size=80),
    st.integers(1, 20),
    st.integers(1, 200),
)
def test_both_bounds_hold_and_what_is_kept_is_the_end(
    updates: list[bytes], updates_max: int, bytes_max: int
) -> None:
    limits = HistoryLimits(updates_max=updates_max, bytes_max=bytes_max)
    history = History(base=0, limits=limits)
    for update in updates:
        history.append(update)
        assert history.size_bytes <= bytes_max
        assert history.last - history.base <= updates_max
    assert history.last == len(updates)
    assert history.between(history.base, history.last) == updates[history.base :]
