"""What a broker says about its topics: which log is behind a name, and how far it reaches.

A topic that was lost and made again has another id; a log that lost its end is shorter than what
was written to it. Blocking: for the thread of whoever asks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog
from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from confluent_kafka.cimpl import NewTopic

REQUEST_TIMEOUT_S = 5.0
PARTITION_COUNT = 8

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TopicLog:
    """The log behind a topic's name: its id, and the next offset of each of its partitions."""

    topic_id: str
    end_offsets: Mapping[int, int]


def admin_client(bootstrap: str) -> AdminClient:
    """Return a client for the functions of this module; it is quiet about lost connections."""
    return AdminClient(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "reconnect.backoff.max.ms": 1000,
            "socket.timeout.ms": int(REQUEST_TIMEOUT_S * 1000),
        }
    )


def create_missing(
    admin: AdminClient, topics: Iterable[str], *, partition_count: int = PARTITION_COUNT
) -> None:
    """Create those of the topics that are not there, with the broker's replication factor."""
    wanted = [
        NewTopic(topic, num_partitions=partition_count, replication_factor=-1) for topic in topics
    ]
    if not wanted:
        return
    for topic, outcome in admin.create_topics(wanted, request_timeout=REQUEST_TIMEOUT_S).items():
        try:
            outcome.result()
            log.info("topic_created", topic=topic, partitions=partition_count)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def read_topic_logs(
    admin: AdminClient, topics: Iterable[str], *, with_ends: bool = True
) -> dict[str, TopicLog]:
    """Return the logs of those of the topics that exist.

    Without ``with_ends`` only their ids are asked for, which is one request less.
    """
    names = list(topics)
    if not names:
        return {}
    described = admin.describe_topics(TopicCollection(names), request_timeout=REQUEST_TIMEOUT_S)
    ids: dict[str, str] = {}
    partitions: list[TopicPartition] = []
    for topic, outcome in described.items():
        try:
            description = outcome.result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                continue
            raise
        ids[topic] = str(description.topic_id)
        partitions.extend(TopicPartition(topic, part.id) for part in description.partitions)
    ends: dict[str, dict[int, int]] = {topic: {} for topic in ids}
    if with_ends and partitions:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = admin.list_offsets(
            dict.fromkeys(partitions, latest),
            request_timeout=REQUEST_TIMEOUT_S,
        )
        for partition, answer in asked.items():
            ends[partition.topic][partition.partition] = answer.result().offset
    return {topic: TopicLog(ids[topic], ends[topic]) for topic in ids}
