"""Ask to be allowed to sell.

Approval is immediate: whoever has an account may sell. Checks by people or by a payment provider
would come between the application and ``Person.approve_as_seller``.
"""

from dataclasses import dataclass

from svc_identity.application.ports import People
from svc_identity.domain.errors import UserNotFound
from svc_identity.domain.normalisation import normalised_shop_name
from svc_identity.domain.person import Person


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyAsSellerCommand:
    """Who wants to sell, and under which name."""

    user_id: str
    shop_name: str


class ApplyAsSeller:
    """The use case; see the module."""

    def __init__(self, *, people: People) -> None:
        self._people = people

    async def __call__(self, command: ApplyAsSellerCommand) -> Person:
        """Return the account with its roles; applying again changes nothing."""
        shop_name = normalised_shop_name(command.shop_name)
        async with self._people.transaction() as people:
            person = await people.lock(command.user_id)
            if person is None:
                raise UserNotFound
            person.approve_as_seller(shop_name)
            await people.save(person)
        return person
