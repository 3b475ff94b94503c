"""Pay a won auction out of the winner's bidding power."""

from dataclasses import dataclass
from functools import partial

from kernel.money import Money
from svc_payment.application.ports import CommandKey, Ledger, LedgerTransaction, Reply
from svc_payment.domain import transfers
from svc_payment.domain.accounts import bidding_power, pending_earnings
from svc_payment.domain.bidding_power import require_allotted


@dataclass(frozen=True, kw_only=True)
class SettleWin:
    """The payment of one auction."""

    key: CommandKey
    auction_id: str
    winner_id: str
    seller_id: str
    shard: int
    hammer_price: Money


async def settle_win(command: SettleWin, *, ledger: Ledger) -> Reply:
    """Move the hammer price to the seller's pending earnings, once per auction.

    ``AllotmentTooSmall`` if the shard holds less for the winner, ``AuctionSettled`` if another
    command paid the auction.
    """
    return await ledger.once(command.key, partial(_settle, command))


async def _settle(command: SettleWin, transaction: LedgerTransaction) -> None:
    price = command.hammer_price
    await transaction.record_settlement(
        auction_id=command.auction_id,
        winner_id=command.winner_id,
        seller_id=command.seller_id,
        shard=command.shard,
        hammer_price=price,
    )
    source = bidding_power(command.winner_id, command.shard, price.currency_code)
    target = pending_earnings(command.seller_id, price.currency_code)
    balances = await transaction.lock_balances((source, target))
    require_allotted(allotted=balances[source], needed=price)
    await transaction.post(
        transfers.settlement(
            auction_id=command.auction_id,
            winner_id=command.winner_id,
            seller_id=command.seller_id,
            shard=command.shard,
            hammer_price=price,
        )
    )
