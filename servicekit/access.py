"""Who may call, as the contract says: the workload by certificate, the person by token."""

from typing import Protocol

from blytz.options.v1.policy_pb2 import Access
from servicekit.call import Call, Person
from servicekit.contract import ANY_CALLER, MethodContract
from servicekit.errors import CallerNotAllowed, RoleMissing, TokenInvalid, TokenMissing

_ROLES_THAT_SATISFY: dict[int, frozenset[str]] = {
    Access.ACCESS_SELLER: frozenset({"SELLER", "MODERATOR", "ADMIN"}),
    Access.ACCESS_MODERATOR: frozenset({"MODERATOR", "ADMIN"}),
    Access.ACCESS_ADMIN: frozenset({"ADMIN"}),
}
_SCHEME = "bearer "


class Verifier(Protocol):
    """Turns an access token into a person; ``TokenInvalid`` or ``TokenExpired`` if it cannot."""

    def cached(self, token: str) -> Person | None:
        """Return the person of a token that was verified before and has not expired."""

    async def verify(self, token: str) -> Person:
        """Verify a token."""


def admit_caller(method: MethodContract, caller: str) -> None:
    """Raise ``CallerNotAllowed`` unless the contract names the calling workload."""
    if caller in method.callers or (caller and ANY_CALLER in method.callers):
        return
    raise CallerNotAllowed(method=method.path, caller=caller or "unknown")


async def admit_person(call: Call, verifier: Verifier) -> None:
    """Set ``call.person`` from the token and raise unless the contract's access rule is met."""
    access = call.method.access
    if access == Access.ACCESS_SERVICE:
        return
    authorization = call.metadata.get("authorization")
    if authorization is None:
        if access != Access.ACCESS_PUBLIC:
            raise TokenMissing
        return
    if authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise TokenInvalid
    token = authorization[len(_SCHEME) :].strip()
    person = call.person = verifier.cached(token) or await verifier.verify(token)
    wanted = _ROLES_THAT_SATISFY.get(access)
    if wanted is not None and wanted.isdisjoint(person.roles):
        raise RoleMissing(role=Access.Name(access).removeprefix("ACCESS_"))
