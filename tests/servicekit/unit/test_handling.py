import psycopg

from kernel.errors import BlytzError, ErrorKind
from servicekit.errors import DependencyUnavailable, RequestIdReused
from servicekit.events.dead_letters import DeadLetter, dead_letter_topic
from servicekit.events.handling import (
    RETRY_AFTER_S_MAX,
    RETRY_AFTER_S_MIN,
    is_passing,
    retry_after_s,
)


class Conflict(BlytzError):
    """Another change came between."""

    kind = ErrorKind.ABORTED


def test_what_is_away_or_in_the_way_passes() -> None:
    assert is_passing(DependencyUnavailable(dependency="postgres"))
    assert is_passing(Conflict())


def test_what_is_wrong_stays_wrong() -> None:
    assert not is_passing(RequestIdReused())
    assert not is_passing(ValueError())
    assert not is_passing(TimeoutError())
    assert not is_passing(psycopg.errors.CheckViolation())


def test_the_wait_doubles_up_to_a_limit() -> None:
    assert RETRY_AFTER_S_MIN / 2 <= retry_after_s(1) <= RETRY_AFTER_S_MIN
    assert RETRY_AFTER_S_MIN * 2 <= retry_after_s(3) <= RETRY_AFTER_S_MIN * 4
    assert RETRY_AFTER_S_MAX / 2 <= retry_after_s(1000) <= RETRY_AFTER_S_MAX


def test_dead_letters_of_dead_letters_stay_in_their_topic() -> None:
    assert dead_letter_topic("user.events") == "user.events.dlq"
    assert dead_letter_topic("user.events.dlq") == "user.events.dlq"


def test_a_reason_is_one_line_of_bounded_length() -> None:
    from confluent_kafka import Message

    reason = DeadLetter(Message(), ValueError("first\nsecond " + "x" * 1000)).reason
    assert reason.startswith("ValueError: first second xxx")
    assert len(reason) == 500
