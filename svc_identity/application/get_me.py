"""Return somebody's own account."""

from svc_identity.application.ports import People
from svc_identity.domain.errors import UserNotFound
from svc_identity.domain.person import Person


class GetMe:
    """The use case; see the module."""

    def __init__(self, *, people: People) -> None:
        self._people = people

    async def __call__(self, user_id: str) -> Person:
        """Return the account; ``UserNotFound`` if it is gone."""
        async with self._people.transaction() as people:
            person = await people.find(user_id)
        if person is None:
            raise UserNotFound
        return person
