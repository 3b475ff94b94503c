import base64
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.auction_books import ADA
from kernel.errors import PageTokenInvalid
from kernel.ids import new_id
from svc_auction.application.ports import ListPosition
from svc_auction.infrastructure.page_tokens import (
    decode_position,
    decode_sequence,
    encode_position,
    encode_sequence,
)

AT = datetime(2026, 11, 1, 12, 0, 0, 123_456, UTC)


def token_of(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def test_a_position_survives() -> None:
    position = ListPosition(AT, new_id())
    assert decode_position(encode_position(position)) == position


@given(st.integers(1, (1 << 63) - 1))
def test_a_sequence_survives(sequence: int) -> None:
    assert decode_sequence(encode_sequence(sequence)) == sequence


def test_no_token_is_the_first_page() -> None:
    assert decode_position("") is None
    assert decode_sequence("") is None


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "é",
        "====",
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        token_of(),
        token_of(1),
        token_of("2026-11-01T12:00:00+00:00"),
        token_of("yesterday", ADA),
        token_of("2026-11-01T12:00:00+00:00", "x" * 36),
        token_of("0001-01-01T00:00:00+14:00", ADA),
        token_of("9999-12-31T23:59:59-14:00", ADA),
        token_of("2026-11-01T12:00:00+00:00", ADA, 1),
        token_of(AT.isoformat(), 36),
    ],
)
def test_a_forged_position_is_refused(token: str) -> None:
    with pytest.raises(PageTokenInvalid):
        decode_position(token)


@pytest.mark.parametrize(
    "token",
    ["nonsense", token_of(), token_of(0), token_of(-1), token_of(1 << 63), token_of("1"),
     token_of(1.5), token_of(True), token_of(1, 2)],
)  # fmt: skip
def test_a_forged_sequence_is_refused(token: str) -> None:
    with pytest.raises(PageTokenInvalid):
        decode_sequence(token)


@given(st.text(max_size=200))
def test_any_text_is_a_page_or_a_refusal(token: str) -> None:
    for decode in (decode_position, decode_sequence):
        with suppress(PageTokenInvalid):
            decode(token)
