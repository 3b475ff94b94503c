"""Linking accounts: the use case on both kinds of the ports, and the operator's command."""

import asyncio
import json
import time
from typing import Any

import psycopg
import pytest

from blytz.events.v1.event_pb2 import Event
from blytz.identity.v1.auth_service_pb2 import Session
from blytz.identity.v1.auth_service_pb2_grpc import AuthServiceStub
from fakes.identity_calls import registered
from fakes.identity_ports import Ports
from fakes.identity_process import IdentityProcess
from kernel.ids import new_id
from svc_identity.application.link_accounts import LinkAccounts, LinkAccountsCommand
from svc_identity.domain.errors import AccountsIdentical, UserNotFound
from svc_identity.domain.person import Person

SENT_WITHIN_S = 20.0


async def joined(ports: Ports) -> str:
    user_id = new_id()
    async with ports.people.transaction() as people:
        await people.add(
            Person.join(
                user_id=user_id,
                email=f"{user_id}@example.com",
                display_name="Ada",
                password_hash="$argon2id$first",
                now=people.now,
            )
        )
    return user_id


async def test_what_is_said_of_a_pair_stays_in_order_whoever_is_named_first(ports: Ports) -> None:
    one_id, other_id = sorted([await joined(ports), await joined(ports)])
    link = LinkAccounts(people=ports.people)
    await link(LinkAccountsCommand(user_ids=(other_id, one_id), linked=True))
    await link(LinkAccountsCommand(user_ids=(one_id, other_id), linked=False))
    assert await ports.events_of(one_id) == [
        ("user.join", 1),
        ("user.linked", 2),
        ("user.linked", 3),
    ]
    assert await ports.events_of(other_id) == [("user.join", 1)]


async def test_both_must_have_an_account_each(ports: Ports) -> None:
    user_id = await joined(ports)
    link = LinkAccounts(people=ports.people)
    for pair in ((user_id, new_id()), (new_id(), user_id), (new_id(), new_id())):
        with pytest.raises(UserNotFound):
            await link(LinkAccountsCommand(user_ids=pair, linked=True))
    with pytest.raises(AccountsIdentical):
        await link(LinkAccountsCommand(user_ids=(user_id, user_id), linked=True))
    assert await ports.events_of(user_id) == [("user.join", 1)]


async def test_pairs_that_cross_never_wait_for_each_other(ports: Ports) -> None:
    one_id, other_id = await joined(ports), await joined(ports)
    link = LinkAccounts(people=ports.people)
    pairs = [(one_id, other_id), (other_id, one_id)] * 4
    async with asyncio.timeout(20):
        await asyncio.gather(
            *(link(LinkAccountsCommand(user_ids=pair, linked=True)) for pair in pairs)
        )
    assert len(await ports.events_of(min(one_id, other_id))) == 1 + len(pairs)


def test_the_command_links_and_the_running_service_tells_the_others(
    identity: IdentityProcess, auth: AuthServiceStub, session: Session
) -> None:
    other = registered(auth).user
    pair = sorted([session.user.user_id, other.user_id])
    for arguments, is_linked in (((), True), (("--unlink",), False)):
        done = identity.run_role("link-accounts", pair[1].upper(), pair[0], *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        (audit,) = [line for line in logged(done.stdout) if line["event"] == "accounts_linked"]
        assert (audit["user_ids"], audit["linked"]) == (pair, is_linked)
        assert session.user.email not in done.stdout + done.stderr
    links = [event.accounts_linked for event in sent_events(identity, pair[0], "user.linked", 2)]
    assert [(link.user_id, link.linked_user_id, link.linked) for link in links] == [
        (*pair, True),
        (*pair, False),
    ]


def test_the_command_refuses_whom_it_does_not_know(
    identity: IdentityProcess, session: Session
) -> None:
    user_id = session.user.user_id
    for other_id, reason in ((new_id(), "USER_NOT_FOUND"), (user_id, "INVALID_REQUEST")):
        refused = identity.run_role("link-accounts", user_id, other_id)
        assert refused.returncode == 1
        (audit,) = [
            line for line in logged(refused.stdout) if line["event"] == "accounts_not_linked"
        ]
        assert audit["reason"] == reason
    for arguments in ((user_id,), (user_id, "Ada"), ()):
        assert identity.run_role("link-accounts", *arguments).returncode == 2


def logged(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def sent_events(
    identity: IdentityProcess, user_id: str, event_type: str, count: int
) -> list[Event]:
    """Return an account's events of a type, once the relay has sent so many of them."""
    give_up_at_s = time.monotonic() + SENT_WITHIN_S
    with psycopg.connect(identity.environ["BLYTZ_POSTGRES_URL"], autocommit=True) as connection:
        while True:
            rows = connection.execute(
                "select payload from outbox where partition_key = %s"
                " and kafka_offset is not null order by id",
                [user_id],
            ).fetchall()
            events = [Event.FromString(payload) for (payload,) in rows]
            found = [event for event in events if event.type == event_type]
            if len(found) >= count:
                return found
            assert time.monotonic() < give_up_at_s
            time.sleep(0.05)
