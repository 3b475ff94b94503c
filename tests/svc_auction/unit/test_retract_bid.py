"""The wallet is asked for heirs who are short, and whoever it refuses is given up."""

from dataclasses import dataclass, field

import pytest

from fakes.auction_books import ADA, AUCTION_ID, BOB, CYD, START, terms_of
from kernel.errors import DependencyUnavailable, Overloaded
from kernel.ids import new_id
from kernel.money import Money
from svc_auction.application.decide_retraction import HeirUncovered
from svc_auction.application.ports import Retraction
from svc_auction.application.retract_bid import ATTEMPTS_MAX, RetractBid
from svc_auction.domain.errors import InsufficientFunds
from svc_auction.domain.events import BidsRetracted
from svc_auction.domain.retraction import Reason, Wish

WISH = Wish(new_id(), AUCTION_ID, ADA, new_id(), Reason.TYPING_ERROR)
EVENT = BidsRetracted(
    sequence=9,
    occurred_at=START,
    retraction_id=new_id(),
    request_id=WISH.request_id,
    bidder_id=ADA,
    reason=Reason.TYPING_ERROR,
    bid_ids=(WISH.bid_id,),
    sequences=(3,),
    price_minor=1,
    leader_id=None,
    record_hash=b"\x01" * 32,
)


@dataclass
class Saleroom:
    """Both ports: heirs with what they lack, one after another, and a wallet."""

    heirs: list[tuple[str, int | None]]
    poor_ids: set[str] = field(default_factory=set)
    is_away: bool = False
    asked: list[tuple[str, Money]] = field(default_factory=list)
    uncovered_ids: frozenset[str] = frozenset()

    async def retract(self, wish: Wish, *, uncovered_ids: frozenset[str]) -> Retraction:
        assert wish == WISH
        self.uncovered_ids = uncovered_ids
        if self.heirs:
            bidder_id, shortfall_minor = self.heirs.pop(0)
            raise HeirUncovered(
                bidder_id=bidder_id, currency_code="USD", shortfall_minor=shortfall_minor
            )
        return Retraction(AUCTION_ID, 1, terms_of(), EVENT)

    async def top_up(self, *, auction_id: str, bidder_id: str, shortfall: Money) -> None:
        assert auction_id == AUCTION_ID
        self.asked.append((bidder_id, shortfall))
        if self.is_away:
            raise DependencyUnavailable(dependency="wallet")
        if bidder_id in self.poor_ids:
            raise InsufficientFunds(shortfall_minor=shortfall.amount_minor)


def use_case(room: Saleroom) -> RetractBid:
    return RetractBid(retractions=room, power=room)


async def test_an_heir_with_money_is_topped_up() -> None:
    room = Saleroom([(BOB, 20_00)])
    assert (await use_case(room)(WISH)).event == EVENT
    assert (room.asked, room.uncovered_ids) == ([(BOB, Money("USD", 20_00))], frozenset())


async def test_heirs_whom_the_wallet_refuses_are_given_up_one_after_another() -> None:
    room = Saleroom([(BOB, 20_00), (CYD, 10_00)], poor_ids={BOB, CYD})
    await use_case(room)(WISH)
    assert room.uncovered_ids == {BOB, CYD}


async def test_no_money_helps_beyond_the_limit_of_a_show() -> None:
    room = Saleroom([(BOB, None)])
    await use_case(room)(WISH)
    assert room.asked == []
    assert room.uncovered_ids == {BOB}


async def test_while_the_wallet_is_away_nobody_is_given_up() -> None:
    room = Saleroom([(BOB, 20_00)], is_away=True)
    with pytest.raises(DependencyUnavailable):
        await use_case(room)(WISH)
    assert room.uncovered_ids == frozenset()


async def test_it_does_not_go_on_for_ever() -> None:
    room = Saleroom([(BOB, 20_00)] * (ATTEMPTS_MAX + 1))
    with pytest.raises(Overloaded) as refused:
        await use_case(room)(WISH)
    assert refused.value.retry_after_s is not None
    assert len(room.asked) == ATTEMPTS_MAX
