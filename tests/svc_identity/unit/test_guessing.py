"""Security statement 12, as a rule: guessing is slow, and costs the guesser alone."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.identity_people import START
from svc_identity.domain.errors import TooManyAttempts
from svc_identity.domain.guessing import (
    Allowance,
    Allowances,
    Draw,
    drawn,
    draws_of,
    given_back,
    site_of,
)

THREE_A_MINUTE = Draw(b"key", Allowance(3, timedelta(seconds=20)))


def test_after_the_burst_one_attempt_an_interval() -> None:
    empty_at = [START]
    for _ in range(3):
        empty_at = drawn([THREE_A_MINUTE], empty_at, START)
    with pytest.raises(TooManyAttempts) as caught:
        drawn([THREE_A_MINUTE], empty_at, START)
    assert caught.value.retry_after_s == 20
    later = START + timedelta(seconds=20)
    empty_at = drawn([THREE_A_MINUTE], empty_at, later)
    with pytest.raises(TooManyAttempts):
        drawn([THREE_A_MINUTE], empty_at, later)


def test_the_fullest_allowance_decides() -> None:
    wide = Draw(b"wide", Allowance(100, timedelta(seconds=1)))
    full = START + timedelta(seconds=60)
    with pytest.raises(TooManyAttempts) as caught:
        drawn([wide, THREE_A_MINUTE], [START, full], START)
    assert caught.value.retry_after_s == 20


@given(gaps_s=st.lists(st.floats(0, 40), max_size=60), burst=st.integers(1, 5))
def test_never_more_than_the_burst_and_one_an_interval(gaps_s: list[float], burst: int) -> None:
    draw = Draw(b"key", Allowance(burst, timedelta(seconds=10)))
    now, empty_at = START, [START]
    admitted: list[datetime] = []
    for gap_s in gaps_s:
        now += timedelta(seconds=gap_s)
        try:
            empty_at = drawn([draw], empty_at, now)
        except TooManyAttempts as refusal:
            now += timedelta(seconds=refusal.retry_after_s or 0)
            empty_at = drawn([draw], empty_at, now)
        admitted.append(now)
    for position, first in enumerate(admitted):
        for count, last in enumerate(admitted[position:], 1):
            intervals = (last - first) / timedelta(seconds=10)
            assert count <= burst + intervals + 1e-6


@given(count=st.integers(0, 50))
def test_good_passwords_never_run_out(count: int) -> None:
    empty_at = [START]
    for _ in range(count):
        empty_at = given_back([THREE_A_MINUTE], drawn([THREE_A_MINUTE], empty_at, START))
    assert empty_at == [START]


def test_an_attempt_draws_on_account_address_and_both() -> None:
    def keys(email: str, address: str) -> set[bytes]:
        draws = draws_of(email=email, address=address, allowances=Allowances())
        assert [draw.key for draw in draws] == sorted(draw.key for draw in draws)
        return {draw.key for draw in draws}

    here = keys("ada@example.com", "192.0.2.1")
    assert len(here) == 3
    assert keys(" ADA@example.com", "192.0.2.1") == here
    assert len(here & keys("ada@example.com", "192.0.2.2")) == 1
    assert len(here & keys("bob@example.com", "192.0.2.1")) == 1
    assert len(keys("ada@example.com", "")) == 1
    assert len(keys("ada@example.com", "not an address")) == 1


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("", ""),
        ("unknown", ""),
    ],
)
def test_a_guesser_cannot_leave_their_site(address: str, site: str) -> None:
    assert site_of(address) == site
