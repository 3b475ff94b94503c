from datetime import UTC, datetime

from servicekit.events.kafka_topics import TopicLog
from servicekit.events.log_loss import lost_parts, overwritten_parts
from servicekit.events.outbox_rows import LogPartition, Place, Position, Row

PART = LogPartition("topic", 0)
POSITIONS = {PART: Position(topic_id="a", batch_offset=90, offset=99)}


def log_ending_at(end: int, *, topic_id: str = "a") -> dict[str, TopicLog]:
    return {"topic": TopicLog(topic_id, {0: end})}


def row(topic: str = "topic") -> Row:
    return Row(1, topic, "key", b"", datetime.now(UTC))


def test_a_log_that_holds_what_was_sent_lost_nothing() -> None:
    assert lost_parts(POSITIONS, log_ending_at(100)) == []
    assert lost_parts(POSITIONS, log_ending_at(5000)) == []


def test_an_end_within_the_last_batch_says_nothing() -> None:
    assert lost_parts(POSITIONS, log_ending_at(91)) == []


def test_a_log_that_ends_before_the_last_batch_lost_its_tail() -> None:
    assert lost_parts(POSITIONS, log_ending_at(90)) == [(PART, 90)]
    assert lost_parts(POSITIONS, log_ending_at(7)) == [(PART, 7)]


def test_a_topic_made_anew_lost_everything_however_long_it_is_by_now() -> None:
    assert lost_parts(POSITIONS, log_ending_at(5000, topic_id="b")) == [(PART, 0)]


def test_a_missing_topic_lost_everything() -> None:
    assert lost_parts(POSITIONS, {}) == [(PART, 0)]


def test_a_missing_partition_lost_everything() -> None:
    assert lost_parts(POSITIONS, {"topic": TopicLog("a", {})}) == [(PART, 0)]


def test_an_offset_that_we_had_passed_tells_of_a_loss() -> None:
    places = [Place(0, 50), Place(0, 51)]
    assert overwritten_parts(POSITIONS, [row(), row()], places) == [(PART, 50)]


def test_an_offset_beyond_our_last_or_in_an_unknown_partition_is_fine() -> None:
    rows = [row(), row(), row("other")]
    assert overwritten_parts(POSITIONS, rows, [Place(0, 100), Place(1, 3), Place(0, 3)]) == []
