"""Take bids back; where whoever leads then runs short on the shard, ask the wallet first."""

from kernel.errors import Overloaded
from kernel.money import Money
from svc_auction.application.decide_retraction import HeirUncovered
from svc_auction.application.ports import BiddingPower, Retraction, Retractions
from svc_auction.domain.errors import InsufficientFunds
from svc_auction.domain.retraction import Wish

ATTEMPTS_MAX = 32
"""How often somebody else may turn out to be short of cover in one call."""


class RetractBid:
    """Takes bids back for those who placed them.

    Nobody leads unfunded: an heir whom the wallet refuses, or whom the show's limit keeps out,
    loses their bids in the transaction of the retraction.
    """

    def __init__(self, *, retractions: Retractions, power: BiddingPower) -> None:
        self._retractions = retractions
        self._power = power

    async def __call__(self, wish: Wish) -> Retraction:
        """Return the committed retraction; raises the reason if it is refused.

        ``Overloaded`` if too many heirs are short: nothing is changed then.
        """
        uncovered_ids: set[str] = set()
        for _ in range(ATTEMPTS_MAX):
            try:
                return await self._retractions.retract(wish, uncovered_ids=frozenset(uncovered_ids))
            except HeirUncovered as heir:
                if not await self._is_covered_now(wish.auction_id, heir):
                    uncovered_ids.add(heir.bidder_id)
        raise Overloaded(retry_after_s=1.0)

    async def _is_covered_now(self, auction_id: str, heir: HeirUncovered) -> bool:
        if heir.shortfall_minor is None:
            return False
        try:
            await self._power.top_up(
                auction_id=auction_id,
                bidder_id=heir.bidder_id,
                shortfall=Money(heir.currency_code, heir.shortfall_minor),
            )
        except InsufficientFunds:
            return False
        return True
