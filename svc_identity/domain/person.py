"""A person with an account."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from svc_identity.domain.events import AccountsLinked, Event, SellerApproved, UserJoined


class Role(StrEnum):
    """What a person may do beyond bidding; the names stand in access tokens."""

    SELLER = "SELLER"
    MODERATOR = "MODERATOR"
    ADMIN = "ADMIN"


@dataclass(kw_only=True, slots=True)
class Person:
    """An account. ``events`` are those that were recorded and not yet stored."""

    user_id: str
    email: str = field(repr=False)
    display_name: str = field(repr=False)
    password_hash: str = field(repr=False)
    created_at: datetime
    roles: frozenset[Role] = frozenset()
    shop_name: str = ""
    events: list[Event] = field(default_factory=list, compare=False)

    @classmethod
    def join(
        cls, *, user_id: str, email: str, display_name: str, password_hash: str, now: datetime
    ) -> Self:
        """Create an account; it records ``UserJoined``."""
        person = cls(
            user_id=user_id,
            email=email,
            display_name=display_name,
            password_hash=password_hash,
            created_at=now,
        )
        person.events.append(UserJoined(user_id))
        return person

    def approve_as_seller(self, shop_name: str) -> None:
        """Let the person sell under ``shop_name``; who sells already keeps the shop they have."""
        if Role.SELLER in self.roles:
            return
        self.roles |= {Role.SELLER}
        self.shop_name = shop_name
        self.events.append(SellerApproved(self.user_id, shop_name))

    def link(self, other: "Person", *, linked: bool) -> None:
        """Say that another account belongs to this one, or no longer; both stay as they are."""
        self.events.append(AccountsLinked(self.user_id, other.user_id, linked))
