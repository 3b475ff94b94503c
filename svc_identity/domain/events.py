"""What happens to an account that other services want to know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UserJoined:
    """An account was created."""

    user_id: str


@dataclass(frozen=True, slots=True)
class SellerApproved:
    """A person may sell from now on."""

    user_id: str
    shop_name: str


@dataclass(frozen=True, slots=True)
class AccountsLinked:
    """Two accounts belong together from now on, or no longer."""

    user_id: str
    linked_user_id: str
    linked: bool


Event = UserJoined | SellerApproved | AccountsLinked
