"""The auction topic as one replica reads it: every partition, from some minutes back.

There is no consumer group and nothing is committed. What comes twice costs nothing, because the hub
drops by sequence what it knows; so after every doubt (the broker was away, or its log no longer has
our place) the reading simply goes back again, to before the doubt began.
"""

import time

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

TOPIC = "auction.events"
BATCH_RECORDS_MAX = 500
POLL_S = 0.1
CHECK_INTERVAL_S = 2.0
CHECK_INTERVAL_WHEN_BUSY_S = 15.0
RETRY_S = 0.3
REQUEST_TIMEOUT_S = 3.0
GONE_BACK_S = 60.0
"""How much further back than the beginning of an outage: clocks differ, relays send again."""

# librdkafka's codes for the client's own troubles begin with an underscore, public as they are.
_OUT_OF_REACH = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        # The log no longer has our place: it was shortened, or it is another one.
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)

log = structlog.get_logger(__name__)


class EventLog:
    """Blocks while it reads: it belongs on a thread of its own."""

    def __init__(self, *, kafka_bootstrap: str, rewind_s: float, topic: str = TOPIC) -> None:
        self.connected = False
        """Whether the log was ever reached."""
        self._topic = topic
        self._rewind_s = rewind_s
        self._partitions: list[int] = []
        self._checked_at_s = float("-inf")
        self._away_since_s: float | None = None
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka_bootstrap,
                "group.id": "realtime",  # the client wants one; nothing joins or commits
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "allow.auto.create.topics": False,
                "fetch.wait.max.ms": 20,
                "fetch.error.backoff.ms": 100,
                "reconnect.backoff.max.ms": 1_000,
                "log_level": 0,
                "error_cb": self._note,
            }
        )

    def read(self) -> list[bytes]:
        """Return the next records in their partitions' order; none if nothing came for a moment."""
        records = self._poll() if self.connected else []
        interval_s = CHECK_INTERVAL_WHEN_BUSY_S if records else CHECK_INTERVAL_S
        if self._away_since_s is not None:
            interval_s = RETRY_S
        if self.connected and time.monotonic() - self._checked_at_s < interval_s:
            return records
        try:
            self._check()
        except KafkaException as error:
            self._mark_away(error.args[0])
            if not records:
                time.sleep(POLL_S)
        self._checked_at_s = time.monotonic()
        return records

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _poll(self) -> list[bytes]:
        """Return what is there, waiting a little for the first record only."""
        first = self._consumer.poll(POLL_S)
        if first is None:
            return []
        records = []
        for message in (first, *self._consumer.consume(BATCH_RECORDS_MAX - 1, timeout=0)):
            error, record = message.error(), message.value()
            if error is not None:
                self._note(error)
            elif record is not None:
                records.append(record)
        return records

    def _note(self, error: KafkaError) -> None:
        if error.code() in _OUT_OF_REACH:
            self._mark_away(error)
        else:
            log.warning("event_log_error", error=error.name())

    def _mark_away(self, error: KafkaError) -> None:
        """Remember since when the log is out of reach, or not what it was."""
        if self._away_since_s is None:
            self._away_since_s = time.time()
            log.warning("event_log_away", error=error.name())

    def _check(self) -> None:
        """Begin, or go back if the log was out of reach, or read all if it has other partitions."""
        if not self.connected:
            self._assign(time.time() - self._rewind_s)
        elif self._away_since_s is not None:
            self._assign(self._away_since_s - GONE_BACK_S)
        elif self._list_partitions() != self._partitions:
            log.warning("event_log_has_other_partitions")
            self._assign(time.time() - self._rewind_s)
        self._away_since_s = None

    def _assign(self, since_s: float) -> None:
        """Read every partition from ``since_s`` (Unix time) on."""
        partitions = self._list_partitions()
        since_ms = int(since_s * 1000)
        # The ends come first: what is appended while we ask must not fall in between.
        ends = {
            partition: self._consumer.get_watermark_offsets(
                TopicPartition(self._topic, partition), timeout=REQUEST_TIMEOUT_S
            )
            for partition in partitions
        }
        starts = self._consumer.offsets_for_times(
            [TopicPartition(self._topic, partition, since_ms) for partition in partitions],
            timeout=REQUEST_TIMEOUT_S,
        )
        for start in starts:
            if start.error is not None:
                raise KafkaException(start.error)
            low, high = ends[start.partition]
            # A negative answer says that no record is so young.
            start.offset = max(low, min(start.offset, high)) if start.offset >= 0 else high
        self._consumer.assign(starts)
        self._partitions = partitions
        self.connected = True
        log.info("event_log_assigned", partitions=len(starts))

    def _list_partitions(self) -> list[int]:
        metadata = self._consumer.list_topics(self._topic, timeout=REQUEST_TIMEOUT_S)
        topic = metadata.topics[self._topic]
        if topic.error is not None:
            raise KafkaException(topic.error)
        return sorted(topic.partitions)
