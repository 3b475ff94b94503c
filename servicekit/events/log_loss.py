"""Which of the rows that were sent a broker no longer has: a rule, without any I/O."""

from collections.abc import Mapping, Sequence

from servicekit.events.kafka_topics import TopicLog
from servicekit.events.outbox_rows import LogPartition, Place, Position, Row


def lost_parts(
    positions: Mapping[LogPartition, Position], logs: Mapping[str, TopicLog]
) -> list[tuple[LogPartition, int]]:
    """Return each partition that lost rows, with the first offset that is gone.

    A topic with another id than the one we wrote to was made anew: all of it is gone. A log that
    ends at or before our last batch lost its tail. A loss within that batch shows at the next one,
    in ``overwritten_parts``: the embedded broker gives the last batch's second offset as the end
    of a log, so that nothing can be concluded from the offsets in between.
    """
    lost = []
    for log, position in positions.items():
        topic_log = logs.get(log.topic)
        if topic_log is None or topic_log.topic_id != position.topic_id:
            lost.append((log, 0))
            continue
        end = topic_log.end_offsets.get(log.partition, 0)
        if end <= position.batch_offset:
            lost.append((log, end))
    return lost


def overwritten_parts(
    positions: Mapping[LogPartition, Position], rows: Sequence[Row], places: Sequence[Place]
) -> list[tuple[LogPartition, int]]:
    """Return each partition that gave a row an offset which we had passed, with that offset.

    The log must have lost its tail just before; what stood there and after is gone.
    """
    lowest: dict[LogPartition, int] = {}
    for row, place in zip(rows, places, strict=True):
        lowest.setdefault(LogPartition(row.topic, place.partition), place.offset)
    return [
        (log, offset)
        for log, offset in lowest.items()
        if log in positions and offset <= positions[log].offset
    ]
