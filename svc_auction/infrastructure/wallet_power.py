"""Bidding power: what the wallet lends to a shard, gets back, and is told to pay.

Every movement is a row before it is a call. A process that dies in between loses nothing: the row
is claimed again, and the wallet answers the same id with the same answer. The shard credits power
only after the wallet gave it, and gives it up before the wallet takes it back, so that what is held
never exceeds what the ledger moved.
"""

import asyncio
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, cast

import grpc
import structlog
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from blytz.common.v1.money_pb2 import Money as MoneyMessage
from blytz.payment.v1.wallet_service_pb2 import (
    AllotBiddingPowerRequest,
    ReturnBiddingPowerRequest,
    SettleWinRequest,
)
from kernel.errors import DependencyUnavailable
from kernel.ids import new_id
from kernel.money import Money
from servicekit.queries import load
from svc_auction.domain.errors import InsufficientFunds, ShardUnavailable
from svc_auction.infrastructure.shards import Shard, Shards

TOP_UP_FACTOR = 4
"""How much more than the shortfall is asked for, so that the next bids need no call."""
TOP_UP_MINOR_MAX = 1_000_000_000_000
"""The most that the contract lets an amount be."""
IDLE_AFTER_S = 600.0
LOOK_EVERY_S = 0.5
BATCH_MAX = 100

if TYPE_CHECKING:
    from blytz.payment.v1.wallet_service_pb2_grpc import WalletServiceAsyncStub

log = structlog.get_logger(__name__)
_queries = load("svc_auction.infrastructure", "wallet_power.sql")


class Kind(IntEnum):
    """What a transfer is."""

    ALLOT = 1
    RETURN = 2
    SETTLE = 3


class TransferState(IntEnum):
    """Where a transfer stands."""

    OPEN = 1
    DONE = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class _Transfer:
    """An open transfer, as ``claim_transfers`` returns it."""

    transfer_id: str
    kind: int
    bidder_id: str
    currency_code: str
    amount_minor: int
    minimum_minor: int
    auction_id: str | None
    seller_id: str | None


class WalletPower:
    """Moves power between the wallet and the shards."""

    def __init__(self, *, shards: Shards, wallet: "WalletServiceAsyncStub") -> None:
        self._shards = shards
        self._wallet = wallet

    async def top_up(self, *, auction_id: str, bidder_id: str, shortfall: Money) -> None:
        """Get the bidder at least ``shortfall`` more, or raise ``InsufficientFunds``."""
        shard = self._shards.of(auction_id)
        wished_minor = min(shortfall.amount_minor * TOP_UP_FACTOR, TOP_UP_MINOR_MAX)
        wished = Money(shortfall.currency_code, wished_minor)
        transfer_id = new_id()
        async with shard.transaction() as connection:
            await connection.execute(
                _queries["insert_allotment"],
                (
                    transfer_id,
                    bidder_id,
                    wished.currency_code,
                    wished.amount_minor,
                    shortfall.amount_minor,
                ),
            )
        try:
            await self._allot(shard, transfer_id, bidder_id, wished, shortfall.amount_minor)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.FAILED_PRECONDITION:
                await self._finish(shard, transfer_id, TransferState.REFUSED)
                missing_minor = shortfall.amount_minor - _available_minor(error)
                raise InsufficientFunds(shortfall_minor=missing_minor) from error
            raise DependencyUnavailable(dependency="wallet", retry_after_s=0.5) from error

    async def _allot(
        self, shard: Shard, transfer_id: str, bidder_id: str, wished: Money, minimum_minor: int
    ) -> None:
        response = await self._wallet.AllotBiddingPower(
            AllotBiddingPowerRequest(
                request_id=transfer_id,
                user_id=bidder_id,
                shard=shard.number,
                amount=_message(wished),
                minimum=_message(Money(wished.currency_code, minimum_minor)),
            )
        )
        async with shard.transaction() as connection:
            finished = await connection.execute(
                _queries["finish_transfer"], (TransferState.DONE, transfer_id)
            )
            if await finished.fetchone() is not None:
                allotted_minor = response.allotted.amount_minor
                await connection.execute(
                    _queries["credit_power"], (bidder_id, wished.currency_code, allotted_minor)
                )

    async def _finish(self, shard: Shard, transfer_id: str, state: TransferState) -> None:
        async with shard.transaction() as connection:
            await connection.execute(_queries["finish_transfer"], (state, transfer_id))

    async def run(self) -> None:
        """Carry out open transfers and return idle power, until cancelled."""
        while True:
            for shard in self._shards:
                try:
                    await self.carry_out(shard)
                    await self.return_idle(shard, idle_after_s=IDLE_AFTER_S)
                except ShardUnavailable:
                    # The other shards' money does not wait for this one.
                    log.warning("shard_away", shard=shard.number)
            await asyncio.sleep(LOOK_EVERY_S)

    async def carry_out(self, shard: Shard) -> int:
        """Try the transfers that are due on a shard; return how many there were."""
        async with shard.transaction() as connection:
            claimed = await connection.execute(_queries["claim_transfers"], (BATCH_MAX,))
            transfers = [_Transfer(*row) for row in await claimed.fetchall()]
        for transfer in transfers:
            try:
                await self._carry_out(shard, transfer)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                    log.warning(
                        "transfer_postponed", transfer=transfer.transfer_id, code=error.code()
                    )
                elif transfer.kind == Kind.ALLOT:
                    await self._finish(shard, transfer.transfer_id, TransferState.REFUSED)
                else:
                    # The wallet and the shard disagree about money: never dropped, always seen.
                    log.exception("transfer_refused", transfer=transfer.transfer_id)
        return len(transfers)

    async def _carry_out(self, shard: Shard, transfer: _Transfer) -> None:
        amount = Money(transfer.currency_code, transfer.amount_minor)
        if transfer.kind == Kind.ALLOT:
            await self._allot(
                shard, transfer.transfer_id, transfer.bidder_id, amount, transfer.minimum_minor
            )
            return
        if transfer.kind == Kind.RETURN:
            await self._wallet.ReturnBiddingPower(
                ReturnBiddingPowerRequest(
                    request_id=transfer.transfer_id,
                    user_id=transfer.bidder_id,
                    shard=shard.number,
                    amount=_message(amount),
                )
            )
        else:
            await self._wallet.SettleWin(
                SettleWinRequest(
                    request_id=transfer.transfer_id,
                    auction_id=transfer.auction_id or "",
                    winner_id=transfer.bidder_id,
                    seller_id=transfer.seller_id or "",
                    shard=shard.number,
                    hammer_price=_message(amount),
                )
            )
        await self._finish(shard, transfer.transfer_id, TransferState.DONE)

    async def return_idle(self, shard: Shard, *, idle_after_s: float) -> int:
        """Give back power that nobody used for ``idle_after_s``; return how many rows."""
        async with shard.transaction() as connection:
            found = await connection.execute(_queries["lock_idle_power"], (idle_after_s, BATCH_MAX))
            idle = await found.fetchall()
            if idle:
                columns: list[list[Any]] = [list(column) for column in zip(*idle, strict=True)]
                await connection.execute(
                    _queries["return_power"], [[new_id() for _ in idle], *columns]
                )
        return len(idle)


def _message(money: Money) -> MoneyMessage:
    return MoneyMessage(currency_code=money.currency_code, amount_minor=money.amount_minor)


def _available_minor(error: grpc.aio.AioRpcError) -> int:
    status = rpc_status.from_call(cast("grpc.Call", error))
    for detail in status.details if status is not None else ():
        info = ErrorInfo()
        if detail.Unpack(info):
            return int(info.metadata.get("available_minor", "0"))
    return 0
