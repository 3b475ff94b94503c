"""Commands of the wallet for tests, with the keys that the gRPC service would give them."""

from dataclasses import dataclass, field
from hashlib import sha256

from kernel.ids import new_id
from kernel.money import Money
from svc_payment.application.allot_bidding_power import AllotBiddingPower, allot_bidding_power
from svc_payment.application.create_deposit import CreateDeposit, create_deposit
from svc_payment.application.ports import CommandKey, Ledger, NewDeposit, PaymentProcessor, Reply
from svc_payment.application.return_bidding_power import ReturnBiddingPower, return_bidding_power
from svc_payment.application.settle_win import SettleWin, settle_win
from svc_payment.domain.currencies import Currencies

CURRENCIES = Currencies.parse("USD,EUR")


def usd(amount_minor: int) -> Money:
    return Money("USD", amount_minor)


def key(method: str, body: object, *, principal: str, request_id: str) -> CommandKey:
    return CommandKey(
        principal=principal,
        method=method,
        request_id=request_id,
        body_hash=sha256(repr(body).encode()).digest(),
    )


@dataclass(kw_only=True)
class Wallet:
    """Sends commands to a ledger; every argument has a default, so a test names what matters."""

    ledger: Ledger
    processor: PaymentProcessor
    user_id: str = field(default_factory=new_id)
    seller_id: str = field(default_factory=new_id)

    async def deposit(
        self,
        amount: Money,
        *,
        request_id: str | None = None,
        payment_method_id: str = "pm_card_visa",
    ) -> Reply:
        new = NewDeposit(
            deposit_id=new_id(),
            user_id=self.user_id,
            amount=amount,
            payment_method_id=payment_method_id,
        )
        command = CreateDeposit(
            key=key(
                "CreateDeposit",
                (amount, payment_method_id),
                principal=self.user_id,
                request_id=request_id or new_id(),
            ),
            new=new,
        )
        return await create_deposit(
            command, ledger=self.ledger, processor=self.processor, currencies=CURRENCIES
        )

    async def allot(
        self,
        amount: Money,
        *,
        minimum: Money | None = None,
        shard: int = 0,
        request_id: str | None = None,
    ) -> Reply:
        minimum = minimum or amount
        command = AllotBiddingPower(
            key=key(
                "AllotBiddingPower",
                (self.user_id, shard, amount, minimum),
                principal="auction",
                request_id=request_id or new_id(),
            ),
            user_id=self.user_id,
            shard=shard,
            amount=amount,
            minimum=minimum,
        )
        return await allot_bidding_power(command, ledger=self.ledger)

    async def give_back(
        self, amount: Money, *, shard: int = 0, request_id: str | None = None
    ) -> Reply:
        command = ReturnBiddingPower(
            key=key(
                "ReturnBiddingPower",
                (self.user_id, shard, amount),
                principal="auction",
                request_id=request_id or new_id(),
            ),
            user_id=self.user_id,
            shard=shard,
            amount=amount,
        )
        return await return_bidding_power(command, ledger=self.ledger)

    async def settle(
        self,
        price: Money,
        *,
        auction_id: str | None = None,
        shard: int = 0,
        request_id: str | None = None,
    ) -> Reply:
        auction_id = auction_id or new_id()
        command = SettleWin(
            key=key(
                "SettleWin",
                (self.user_id, self.seller_id, auction_id, shard, price),
                principal="auction",
                request_id=request_id or new_id(),
            ),
            auction_id=auction_id,
            winner_id=self.user_id,
            seller_id=self.seller_id,
            shard=shard,
            hammer_price=price,
        )
        return await settle_win(command, ledger=self.ledger)

    async def money(self) -> tuple[int, int]:
        """Return what the user has in USD: available, bidding power."""
        for balances in await self.ledger.balances(self.user_id):
            if balances.available.currency_code == "USD":
                return balances.available.amount_minor, balances.bidding_power.amount_minor
        return 0, 0

    async def earnings_minor(self) -> int:
        """Return what the seller has earned in USD."""
        for balances in await self.ledger.balances(self.seller_id):
            if balances.available.currency_code == "USD":
                return balances.pending_earnings.amount_minor
        return 0
