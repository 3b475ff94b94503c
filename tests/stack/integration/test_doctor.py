"""Every invariant of the doctor: silent on a sound world, loud about a planted violation."""

from typing import Any, LiteralString

import psycopg
import pytest

from blytz.events.v1.auction_events_pb2 import BidPlaced
from fakes.doctor_scratch import found_by_queries, scratch
from fakes.doctor_world import DoctorWorld, event_row, intents, named
from stack.doctor import event_sequences, power, processor
from stack.doctor.checks import queries_of
from stack.doctor.examination import Patient, examine
from stack.parts.postgres import Postgres

PLANTED_IN_THE_LEDGER: dict[str, LiteralString] = {
    "transfers_sum_to_zero": """
        alter table ledger_postings disable trigger user;
        update ledger_postings set amount_minor = amount_minor + 1 where amount_minor = -8000""",
    "transfers_are_whole": """
        alter table ledger_transfers disable trigger user;
        update ledger_transfers set posting_count = 3 where kind = 'SETTLEMENT'""",
    "balances_follow_postings": """
        alter table ledger_accounts disable trigger user;
        update ledger_accounts set balance_minor = balance_minor + 1 where kind = 'AVAILABLE'""",
    "balances_are_not_negative": """
        alter table ledger_accounts disable trigger user;
        alter table ledger_accounts drop constraint ledger_accounts_never_negative;
        update ledger_accounts set balance_minor = -1 where kind = 'PENDING_EARNINGS'""",
    "money_comes_from_deposits": """
        alter table ledger_accounts disable trigger user;
        update ledger_accounts set balance_minor = balance_minor - 5
        where kind = 'PROCESSOR_CLEARING'""",
    "deposits_are_credited_once": """
        alter table deposits disable trigger user;
        update deposits set state = 'FAILED', failure = 'DECLINED' where payment_id = 'pi_Ann'""",
    "settlements_are_paid_once": """
        alter table settlements disable trigger user;
        update settlements set amount_minor = 1999""",
    "commands_have_one_answer": """
        alter table command_results disable trigger user;
        update command_results set response = null""",
    "deposits_are_asked_once": """
        alter table deposits disable trigger user;
        alter table deposits drop constraint deposits_user_id_request_id_key;
        update deposits set user_id = (select user_id from deposits where payment_id = 'pi_Ann'),
            request_id = (select request_id from deposits where payment_id = 'pi_Ann')""",
}


@pytest.fixture(scope="session")
def world(postgres_server: Postgres) -> DoctorWorld:
    return DoctorWorld.made(postgres_server)


async def test_a_sound_world_has_no_violations(world: DoctorWorld) -> None:
    patient = Patient(
        identity_url=world.identity_url,
        payment_url=world.ledger_url,
        shard_urls={0: world.shard_url},
    )
    diagnosis = await examine(patient)
    assert diagnosis.violations == []
    assert diagnosis.unchecked == {processor.NAME}


def test_every_query_has_a_planted_violation() -> None:
    assert set(queries_of("ledger.sql")) == set(PLANTED_IN_THE_LEDGER)
    assert set(queries_of("outbox.sql")) == {"events_are_sent"}


@pytest.mark.parametrize("invariant", PLANTED_IN_THE_LEDGER)
async def test_a_violation_in_the_ledger_is_found(world: DoctorWorld, invariant: str) -> None:
    async with scratch(world.ledger_url, PLANTED_IN_THE_LEDGER[invariant]) as ledger:
        found = await found_by_queries(ledger, "ledger.sql")
    assert invariant in {violation.invariant for violation in found}


async def test_an_event_that_waits_is_found(world: DoctorWorld) -> None:
    waiting: LiteralString = """
        insert into outbox (topic, partition_key, payload, created_at)
        values ('user.events', '', '', clock_timestamp() - interval '61 seconds')"""
    async with scratch(world.identity_url, waiting) as identity:
        found = await found_by_queries(identity, "outbox.sql")
    assert [violation.invariant for violation in found] == ["events_are_sent"]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from outbox where id = 3",
        "update books set sequence = sequence + 1 where state = 3",
        """insert into outbox (topic, partition_key, payload)
        select topic, partition_key, payload from outbox where id = 4""",
        "alter table books drop constraint books_auction_id_fkey; delete from books",
        "update shows set sequence = 3",
        """delete from outbox where id in (
            select min(id) + 1 from outbox where topic = 'show.events')""",
        "update outbox set topic = 'show.events' where id = 4",
    ],
)
async def test_a_gap_in_the_events_is_found(world: DoctorWorld, statement: LiteralString) -> None:
    async with scratch(world.shard_url, statement) as shard:
        found = await event_sequences.violations(shard, area="auction")
    assert {violation.invariant for violation in found} == {event_sequences.NAME}


async def test_an_event_after_the_last_is_found(world: DoctorWorld) -> None:
    async with scratch(world.shard_url) as shard:
        await shard.execute(
            "insert into outbox (topic, partition_key, payload) values (%s, %s, %s)",
            event_row("sold", 6, bid_placed=BidPlaced()),
        )
        await shard.execute("update books set sequence = 6 where auction_id = %s", (named("sold"),))
        found = await event_sequences.violations(shard, area="auction")
    assert [violation.where for violation in found] == [f"auction {named('sold')}"]


async def test_what_is_left_of_old_events_need_not_begin_at_one(world: DoctorWorld) -> None:
    async with scratch(world.shard_url, "delete from outbox where id in (1, 2)") as shard:
        assert await event_sequences.violations(shard, area="auction") == []


@pytest.mark.parametrize(
    ("shard_statement", "ledger_statement"),
    [
        ("update bidding_power set allotted_minor = allotted_minor + 1", "select"),
        ("update power_transfers set state = 3 where amount_minor = 8000", "select"),
        ("update power_transfers set state = 2 where amount_minor = 500", "select"),
        ("update power_transfers set amount_minor = 7000 where amount_minor = 8000", "select"),
        ("delete from power_transfers where amount_minor = 4000", "select"),
        (
            "select",
            "update ledger_accounts set shard = 7 where kind = 'BIDDING_POWER'",
        ),
    ],
)
async def test_power_that_does_not_add_up_is_found(
    world: DoctorWorld, shard_statement: LiteralString, ledger_statement: LiteralString
) -> None:
    unguarded: LiteralString = "alter table ledger_accounts disable trigger user"
    async with (
        scratch(world.shard_url, shard_statement) as shard,
        scratch(world.ledger_url, unguarded, ledger_statement) as ledger,
    ):
        found = await power.violations(ledger=ledger, shard=shard, number=0)
        found += await power.unknown_shards(ledger, {0})
    assert {violation.invariant for violation in found} == {power.NAME}


async def test_a_transfer_on_its_way_is_no_violation(world: DoctorWorld) -> None:
    """The wallet has lent and the shard not yet taken; the shard has given and the wallet not."""
    lent: LiteralString = """
        update power_transfers set state = 1 where amount_minor = 8000;
        update bidding_power set allotted_minor = 0, held_minor = 0 where allotted_minor = 8000"""
    async with scratch(world.shard_url, lent) as shard, scratch(world.ledger_url) as ledger:
        assert await power.violations(ledger=ledger, shard=shard, number=0) == []


async def test_power_on_a_shard_that_nobody_named_is_found(world: DoctorWorld) -> None:
    async with scratch(world.ledger_url) as ledger:
        (violation,) = await power.unknown_shards(ledger, {1})
        assert await power.unknown_shards(ledger, {0}) == []
    assert violation.where == "shard 0"


def _other_amount(taken: list[dict[str, Any]]) -> None:
    taken[0]["amount_received"] = 9999


def _twice(taken: list[dict[str, Any]]) -> None:
    taken.append({**taken[0], "id": "pi_again"})


def _never(taken: list[dict[str, Any]]) -> None:
    del taken[0]


def _for_nothing(taken: list[dict[str, Any]]) -> None:
    taken.append({**taken[0], "id": "pi_other", "metadata": {"deposit_id": named("nothing")}})


@pytest.mark.parametrize("spoil", [_other_amount, _twice, _never, _for_nothing])
async def test_a_payment_that_does_not_fit_is_found(world: DoctorWorld, spoil: Any) -> None:
    taken = intents()
    async with scratch(world.ledger_url) as ledger:
        assert await processor.violations(ledger, taken) == []
        spoil(taken)
        found = await processor.violations(ledger, taken)
    assert [violation.invariant for violation in found] == [processor.NAME]


async def test_a_violation_between_two_databases_is_reported_when_it_stays(
    postgres_server: Postgres,
) -> None:
    world = DoctorWorld.made(postgres_server)
    with psycopg.connect(world.shard_url) as shard:
        shard.execute("update bidding_power set allotted_minor = 9000 where allotted_minor = 8000")
    patient = Patient(
        identity_url=world.identity_url,
        payment_url=world.ledger_url,
        shard_urls={0: world.shard_url},
    )
    diagnosis = await examine(patient)
    assert [violation.invariant for violation in diagnosis.violations] == [power.NAME]
