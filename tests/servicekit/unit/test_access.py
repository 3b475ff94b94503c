from dataclasses import replace
from datetime import UTC, datetime

import pytest

from blytz.auction.v1 import auction_service_pb2
from blytz.options.v1.policy_pb2 import Access
from servicekit.access import admit_caller, admit_person
from servicekit.call import Call, Person
from servicekit.contract import MethodContract, methods_of
from servicekit.errors import CallerNotAllowed, RoleMissing, TokenInvalid, TokenMissing

SERVICE = auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"]
METHOD = next(methods_of(SERVICE))


class Verifier:
    """Knows some tokens; it has seen one of them before."""

    def __init__(self, *roles: str) -> None:
        self.person = Person("ada", frozenset(roles), "Ada", datetime.now(UTC))
        self.verified: list[str] = []

    def cached(self, token: str) -> Person | None:
        return self.person if token == "seen" else None

    async def verify(self, token: str) -> Person:
        self.verified.append(token)
        if token != "good":
            raise TokenInvalid
        return self.person


def method_for(access: Access.ValueType) -> MethodContract:
    return replace(METHOD, access=access)


def call_of(access: Access.ValueType, authorization: str | None = None) -> Call:
    metadata = {} if authorization is None else {"authorization": authorization}
    return Call(method=method_for(access), metadata=metadata)


@pytest.mark.parametrize(
    ("callers", "caller", "admitted"),
    [
        ({"edge"}, "edge", True),
        ({"edge", "payment"}, "payment", True),
        ({"edge"}, "payment", False),
        ({"edge"}, "", False),
        ({"mesh"}, "anybody", True),
        ({"mesh"}, "", False),
        (set(), "edge", False),
    ],
)
def test_the_contract_names_the_callers(callers: set[str], caller: str, *, admitted: bool) -> None:
    method = replace(METHOD, callers=frozenset(callers))
    if admitted:
        admit_caller(method, caller)
        return
    with pytest.raises(CallerNotAllowed) as refused:
        admit_caller(method, caller)
    assert refused.value.metadata == {"method": method.path, "caller": caller or "unknown"}


async def test_a_public_call_needs_no_token_but_a_sent_one_must_be_good() -> None:
    call = call_of(Access.ACCESS_PUBLIC)
    await admit_person(call, Verifier())
    assert call.person is None
    call = call_of(Access.ACCESS_PUBLIC, "Bearer good")
    await admit_person(call, verifier := Verifier())
    assert call.person is verifier.person
    with pytest.raises(TokenInvalid):
        await admit_person(call_of(Access.ACCESS_PUBLIC, "Bearer bad"), Verifier())


@pytest.mark.parametrize("access", [Access.ACCESS_USER, Access.ACCESS_SELLER, Access.ACCESS_ADMIN])
async def test_without_a_token_nobody_is_let_in(access: Access.ValueType) -> None:
    with pytest.raises(TokenMissing):
        await admit_person(call_of(access), Verifier("ADMIN"))


@pytest.mark.parametrize(
    ("access", "roles", "admitted"),
    [
        (Access.ACCESS_USER, [], True),
        (Access.ACCESS_SELLER, [], False),
        (Access.ACCESS_SELLER, ["SELLER"], True),
        (Access.ACCESS_SELLER, ["MODERATOR"], True),
        (Access.ACCESS_SELLER, ["ADMIN"], True),
        (Access.ACCESS_MODERATOR, ["SELLER"], False),
        (Access.ACCESS_MODERATOR, ["ADMIN"], True),
        (Access.ACCESS_ADMIN, ["MODERATOR", "SELLER"], False),
        (Access.ACCESS_ADMIN, ["ADMIN"], True),
        (Access.ACCESS_ADMIN, ["admin"], False),
    ],
)
async def test_a_role_opens_what_it_should(
    access: Access.ValueType, roles: list[str], *, admitted: bool
) -> None:
    call = call_of(access, "Bearer good")
    if admitted:
        await admit_person(call, Verifier(*roles))
        return
    with pytest.raises(RoleMissing) as refused:
        await admit_person(call, Verifier(*roles))
    assert refused.value.metadata == {"role": Access.Name(access).removeprefix("ACCESS_")}


async def test_a_service_acts_for_itself_whatever_token_it_passes() -> None:
    call = call_of(Access.ACCESS_SERVICE, "Bearer good")
    await admit_person(call, Verifier("ADMIN"))
    assert call.person is None


@pytest.mark.parametrize("authorization", ["", "good", "Basic good", "Bearergood", "Bearer"])
async def test_only_bearer_tokens_are_looked_at(authorization: str) -> None:
    with pytest.raises(TokenInvalid):
        await admit_person(call_of(Access.ACCESS_USER, authorization), Verifier())


async def test_a_token_that_was_seen_is_not_verified_again() -> None:
    verifier = Verifier()
    await admit_person(call_of(Access.ACCESS_USER, "bearer  seen "), verifier)
    assert verifier.verified == []
