import pytest

from servicekit.events import schema
from servicekit.events.outbox import (
    PAYLOAD_BYTES_MAX,
    EventTooLarge,
    OutboxEvent,
    append_parameters,
)


def test_an_event_that_kafka_would_refuse_is_refused_before_it_is_written() -> None:
    fits = OutboxEvent("topic", "key", b"x" * PAYLOAD_BYTES_MAX)
    append_parameters([fits])
    with pytest.raises(EventTooLarge, match="900001 bytes"):
        append_parameters([fits, OutboxEvent("topic", "key", fits.payload + b"x")])


def test_the_schemas_suit_a_migration_that_takes_colons_for_parameters() -> None:
    from sqlalchemy import text

    for sql in (schema.outbox_sql(), schema.inbox_sql()):
        assert not text(sql)._bindparams
