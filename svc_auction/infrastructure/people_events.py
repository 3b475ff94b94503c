"""What svc_identity and svc_payment tell of people, written to every shard as it comes.

Each shard has a consumer of its own, so that one that is away catches up by itself.
"""

from datetime import UTC

from blytz.events.v1.event_pb2 import Event
from servicekit.events.consumer import Consumer
from servicekit.postgres import Connection
from svc_auction.application.decide_bids import Bar
from svc_auction.infrastructure.postgres_people import write_bars, write_card_holders
from svc_auction.infrastructure.shards import Shard

TOPICS = ("user.events", "payment.events")
EVENT_TYPES = frozenset({"user.linked", "card.saved", "card.removed"})


def people_consumer(shard: Shard, *, kafka_bootstrap: str) -> Consumer:
    """Return what keeps a shard informed of people."""
    return Consumer(
        name=f"auction-{shard.number}-people",
        topics=TOPICS,
        database=shard.database,
        kafka_bootstrap=kafka_bootstrap,
        handle=note_people,
        event_types=EVENT_TYPES,
    )


async def note_people(connection: Connection, event: Event) -> None:
    """Note that two accounts are linked, or no longer, or that somebody has a saved card or not."""
    at = event.occurred_at.ToDatetime(tzinfo=UTC)
    if event.type == "user.linked":
        link = event.accounts_linked
        pair = (link.user_id, link.linked_user_id)
        # Neither may bid on the other's auctions.
        await write_bars(
            connection,
            [(*ids, Bar.LINKED.value, link.linked, at) for ids in (pair, pair[::-1])],
        )
    else:
        card = event.saved_card_changed
        await write_card_holders(connection, [(card.user_id, card.saved, at)])
