"""Between this service's words and the contract's."""

from collections.abc import Sequence
from datetime import datetime

from blytz.events.v1.event_pb2 import Event as EventMessage
from blytz.events.v1.user_events_pb2 import AccountsLinked as AccountsLinkedMessage
from blytz.events.v1.user_events_pb2 import SellerApproved as SellerApprovedMessage
from blytz.events.v1.user_events_pb2 import UserJoined as UserJoinedMessage
from blytz.identity.v1.auth_service_pb2 import Session as SessionMessage
from blytz.identity.v1.user_service_pb2 import Role as RoleMessage
from blytz.identity.v1.user_service_pb2 import User as UserMessage
from kernel.ids import new_id
from servicekit.call import current_call
from servicekit.events.outbox import OutboxEvent
from svc_identity.application.session import Session
from svc_identity.domain.events import AccountsLinked, Event, SellerApproved, UserJoined
from svc_identity.domain.person import Person

TOPIC = "user.events"
EPOCH = 1
"""An account's log of events never starts anew."""


def user_message(person: Person) -> UserMessage:
    """Return an account as its owner sees it."""
    message = UserMessage(
        user_id=person.user_id,
        email=person.email,
        display_name=person.display_name,
        roles=[RoleMessage.Value(f"ROLE_{role}") for role in sorted(person.roles)],
    )
    message.created_at.FromDatetime(person.created_at)
    return message


def session_message(session: Session) -> SessionMessage:
    """Return a session for its client."""
    message = SessionMessage(
        access_token=session.access_token.text,
        refresh_token=session.refresh_token,
        user=user_message(session.person),
    )
    message.access_token_expires_at.FromDatetime(session.access_token.expires_at)
    return message


def outbox_events_of(
    person: Person, *, last_sequence: int, occurred_at: datetime
) -> Sequence[OutboxEvent]:
    """Return a person's recorded events, numbered so that the last has ``last_sequence``."""
    first_sequence = last_sequence - len(person.events) + 1
    return [
        OutboxEvent(
            topic=TOPIC,
            key=person.user_id,
            payload=_event_message(event, sequence, occurred_at).SerializeToString(),
        )
        for sequence, event in enumerate(person.events, first_sequence)
    ]


def _event_message(event: Event, sequence: int, occurred_at: datetime) -> EventMessage:
    call = current_call.get()
    message = EventMessage(
        event_id=new_id(),
        aggregate_id=event.user_id,
        epoch=EPOCH,
        sequence=sequence,
        traceparent=call.traceparent if call else "",
    )
    message.occurred_at.FromDatetime(occurred_at)
    match event:
        case UserJoined():
            message.type = "user.join"
            message.user_joined.CopyFrom(UserJoinedMessage(user_id=event.user_id))
        case SellerApproved():
            message.type = "seller.approved"
            message.seller_approved.CopyFrom(
                SellerApprovedMessage(user_id=event.user_id, shop_name=event.shop_name)
            )
        case AccountsLinked():
            message.type = "user.linked"
            message.accounts_linked.CopyFrom(
                AccountsLinkedMessage(
                    user_id=event.user_id,
                    linked_user_id=event.linked_user_id,
                    linked=event.linked,
                )
            )
    return message
