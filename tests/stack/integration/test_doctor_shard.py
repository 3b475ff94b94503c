"""The doctor's invariants of a shard: whatever is spoiled there, the right one is broken."""

from typing import LiteralString

import pytest

from fakes.doctor_scratch import found_by_queries, scratch
from fakes.doctor_world import DoctorWorld
from stack.doctor import bid_log
from stack.doctor.checks import queries_of
from stack.parts.postgres import Postgres

PLANTED_ON_THE_SHARD: dict[str, LiteralString] = {
    "held_power_is_what_auctions_hold": """
        update bidding_power set held_minor = held_minor - 1 where held_minor > 0""",
    "held_power_is_within_the_allotment": """
        alter table bidding_power drop constraint bidding_power_check;
        update bidding_power set allotted_minor = held_minor - 1 where held_minor > 0""",
    "holds_are_the_leaders_maxima": "update books set held_minor = 4999 where held_minor = 5000",
    "sealed_bids_are_the_bidders_maxima": """
        update sealed_bids set maximum_minor = 711, held_minor = 711 where maximum_minor = 707""",
    "sealed_bids_are_held_until_the_end": """
        update sealed_bids set held_minor = 0 where maximum_minor = 707""",
    "bid_log_is_chained": "update bids set maximum_minor = 3001 where maximum_minor = 3000",
    "books_end_with_their_last_record": "update books set bid_count = 9 where state = 3",
    "retractions_take_back_their_own_bids": """
        update bids set retracted_at = null where maximum_minor = 3003""",
    "no_bid_lowers_a_price": "update bids set price_minor = 3200 where maximum_minor = 5000",
    "bids_fall_within_their_auction": """
        update bids set placed_at = placed_at + interval '2 hours' where maximum_minor = 4000""",
    "requests_count_once": """
        alter table bids drop constraint bids_bidder_id_request_id_key;
        update bids set request_id = (select request_id from bids where maximum_minor = 1500)
        where bidder_id = (select bidder_id from bids where maximum_minor = 1500)""",
    "sellers_do_not_bid": """
        update auctions set seller_id = (select bidder_id from bids where maximum_minor = 4000)""",
    "outcomes_follow_from_the_bids": "update books set outcome = 2 where state = 4",
    "a_bid_that_won_ended_its_auction": """
        update books set ends_at = ends_at + interval '1 second' where outcome = 5""",
    "winners_have_the_highest_maximum": """
        update books set leader_id = (select bidder_id from bids where maximum_minor = 1500)
        where state = 4""",
    "sold_means_one_settlement": "delete from power_transfers where kind = 3",
    "auctions_end_in_time": """
        update books set ends_at = now() - interval '61 seconds' where state = 3""",
}


@pytest.fixture(scope="session")
def world(postgres_server: Postgres) -> DoctorWorld:
    return DoctorWorld.made(postgres_server)


def test_every_query_has_a_planted_violation() -> None:
    assert set(queries_of("shard.sql")) == set(PLANTED_ON_THE_SHARD)


@pytest.mark.parametrize(
    ("invariant", "statement"),
    [
        ("bid_log_is_chained", "update retractions set retracted_at = now()"),
        ("bid_log_is_chained", "update retractions set sequences = '{3}'"),
        ("bid_log_is_chained", "delete from retractions"),
        ("books_end_with_their_last_record", "update books set log_head = '' where state = 7"),
        (
            "held_power_is_what_auctions_hold",
            "update sealed_bids set held_minor = 0 where maximum_minor = 1010",
        ),
        (
            "holds_are_the_leaders_maxima",
            """update books set held_minor = 606
            where auction_id in (select auction_id from auctions where show_id is not null)""",
        ),
        (
            "holds_are_the_leaders_maxima",
            """update books set held_minor = leader_maximum_minor
            where auction_id in (select auction_id from auctions where format = 6)""",
        ),
        ("sealed_bids_are_held_until_the_end", "update auctions set funding = 2 where format = 6"),
        ("sealed_bids_are_the_bidders_maxima", "delete from sealed_bids where maximum_minor = 707"),
        ("sealed_bids_are_the_bidders_maxima", "update auctions set format = 1 where format = 6"),
        (
            "retractions_take_back_their_own_bids",
            "update bids set retracted_at = now() where maximum_minor = 1111",
        ),
        ("retractions_take_back_their_own_bids", "update retractions set bidder_id = leader_id"),
        ("retractions_take_back_their_own_bids", "update retractions set sequences = '{4, 4}'"),
        ("retractions_take_back_their_own_bids", "update retractions set bid_ids = '{null}'"),
        ("retractions_take_back_their_own_bids", "update retractions set sequence = 3"),
        ("a_bid_that_won_ended_its_auction", "update bids set won = true where sequence = 3"),
        ("outcomes_follow_from_the_bids", "update books set outcome = 1 where outcome = 5"),
        ("outcomes_follow_from_the_bids", "update auctions set format = 4 where format = 1"),
        ("sold_means_one_settlement", "update auctions set funding = 1 where format = 4"),
        (
            "sold_means_one_settlement",
            "update auctions set funding = 1 where buy_now_minor is not null",
        ),
        ("bids_fall_within_their_auction", "update auctions set show_id = null"),
    ],
)
async def test_more_violations_on_the_shard_are_found(
    world: DoctorWorld, invariant: str, statement: LiteralString
) -> None:
    async with scratch(world.shard_url, statement) as shard:
        found = await found_by_queries(shard, "shard.sql")
    assert invariant in {violation.invariant for violation in found}


@pytest.mark.parametrize("invariant", PLANTED_ON_THE_SHARD)
async def test_a_violation_on_the_shard_is_found(world: DoctorWorld, invariant: str) -> None:
    async with scratch(world.shard_url, PLANTED_ON_THE_SHARD[invariant]) as shard:
        found = await found_by_queries(shard, "shard.sql")
    assert invariant in {violation.invariant for violation in found}


@pytest.mark.parametrize(
    "statement",
    [
        "update bids set leader_id = bidder_id where maximum_minor = 3000",
        "update bids set price_minor = 3050 where maximum_minor = 3000",
        "update bids set price_minor = 1550 where maximum_minor = 4000",
        "update bids set maximum_minor = 1024 where maximum_minor = 3000",
        "update bids set bid_count = 7 where maximum_minor = 5000",
        "update bids set maximum_minor = 708 where maximum_minor = 707",
        "update bids set price_minor = 708 where maximum_minor = 1010",
        "update bids set placed_at = placed_at + interval '1 second' where maximum_minor = 90",
        "update books set paused_for = interval '0' where paused_for > interval '0'",
        "update bids set won = false where maximum_minor = 808",
        "update auctions set buy_now_minor = 809 where buy_now_minor = 808",
        "update retractions set price_minor = price_minor + 1",
        "update retractions set leader_id = bidder_id",
        "update retractions set sequences = '{3}'",
        "update retractions set sequence = 3 where sequence = 5",
        "update auctions set format = 5 where format = 6",
    ],
)
async def test_a_record_against_the_rules_is_found(
    world: DoctorWorld, statement: LiteralString
) -> None:
    async with scratch(world.shard_url, statement) as shard:
        found = await bid_log.violations(shard)
    assert {violation.invariant for violation in found} == {bid_log.NAME}
