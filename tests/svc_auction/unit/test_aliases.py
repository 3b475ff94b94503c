import re

from fakes.auction_books import ADA, AUCTION_ID, BOB
from kernel.ids import new_id
from svc_auction.infrastructure.aliases import Aliases


def test_an_alias_reads_like_a_name() -> None:
    aliases = Aliases("a key")
    for _ in range(100):
        assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+ \d\d", aliases.of(new_id(), new_id()))


def test_an_alias_stays_the_same_in_every_process() -> None:
    assert Aliases("a key").of(AUCTION_ID, ADA) == Aliases("a key").of(AUCTION_ID, ADA)


def test_another_bidder_auction_or_key_is_another_alias() -> None:
    alias = Aliases("a key").of(AUCTION_ID, ADA)
    others = {
        Aliases("a key").of(AUCTION_ID, BOB),
        Aliases("a key").of(AUCTION_ID.replace("a1b2", "a1b3"), ADA),
        Aliases("another key").of(AUCTION_ID, ADA),
    }
    assert alias not in others


def test_aliases_are_spread_evenly() -> None:
    aliases = Aliases("a key")
    drawn = [aliases.of(AUCTION_ID, new_id()) for _ in range(2_000)]
    assert len(set(drawn)) > 1_900
    assert len({alias.split()[0] for alias in drawn}) == 32
    assert len({alias.split()[1] for alias in drawn}) == 32
