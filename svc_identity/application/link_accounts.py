"""Say that two accounts belong together, or no longer: neither may bid on the other's auctions.

Nobody but an operator does so, and the accounts themselves do not change: whoever acts on it hears
of it by the event.
"""

from dataclasses import dataclass

from svc_identity.application.ports import People
from svc_identity.domain.errors import AccountsIdentical, UserNotFound


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkAccountsCommand:
    """Which two accounts, and whether they belong together from now on."""

    user_ids: tuple[str, str]
    linked: bool


class LinkAccounts:
    """The use case; see the module."""

    def __init__(self, *, people: People) -> None:
        self._people = people

    async def __call__(self, command: LinkAccountsCommand) -> None:
        """Record it; ``UserNotFound`` unless both have an account.

        What is said of a pair is always an event of the account with the lower id, so that its
        events stay in order whichever is named first.
        """
        first_id, second_id = sorted(command.user_ids)
        if first_id == second_id:
            raise AccountsIdentical
        async with self._people.transaction() as people:
            first = await people.lock(first_id)
            second = await people.lock(second_id)
            if first is None or second is None:
                raise UserNotFound
            first.link(second, linked=command.linked)
            await people.save(first)
