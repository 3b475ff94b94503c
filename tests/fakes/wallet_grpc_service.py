"""The wallet as its contract says, in memory: every command once, refusals replayed, outages."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from blytz.common.v1.money_pb2 import Money
from blytz.payment.v1 import wallet_service_pb2 as messages
from kernel.errors import BlytzError, DependencyUnavailable, ErrorKind, RequestIdReused
from servicekit.call import Call

DESCRIPTOR = messages.DESCRIPTOR.services_by_name["WalletService"]


class InsufficientFunds(BlytzError):
    """The available balance of {available_minor} minor units is too small."""

    kind = ErrorKind.PRECONDITION
    reason = "INSUFFICIENT_FUNDS"
    public_facts = frozenset({"available_minor"})


class AllotmentTooSmall(BlytzError):
    """The shard was allotted less than it gives back or spends."""

    kind = ErrorKind.PRECONDITION
    reason = "ALLOTMENT_TOO_SMALL"


class AuctionSettled(BlytzError):
    """The auction was settled before by another command."""

    kind = ErrorKind.ALREADY_EXISTS
    reason = "AUCTION_SETTLED"


class FakeWallet:
    """``WalletService``; balances are in minor units, by person and currency.

    While ``away`` is set every call is UNAVAILABLE and nothing is done; while ``deaf`` is set it is
    done and the answer lost.
    """

    def __init__(self) -> None:
        self.available: Counter[tuple[str, str]] = Counter()
        self.allotted: Counter[tuple[str, int, str]] = Counter()
        self.earned: Counter[tuple[str, str]] = Counter()
        self.settled: set[str] = set()
        self.calls: list[tuple[str, Any]] = []
        self.away = False
        self.deaf = False
        self._answers: dict[str, tuple[bytes, Message | BlytzError]] = {}

    def total_minor(self) -> int:
        """Return all the money there is; only deposits change it."""
        return self.available.total() + self.allotted.total() + self.earned.total()

    async def GetWallet(self, request: messages.GetWalletRequest, call: Call) -> Message:
        del request
        user_id = call.require_person().user_id
        return messages.GetWalletResponse(
            balances=[
                messages.Balance(available=Money(currency_code=code, amount_minor=amount_minor))
                for (owner_id, code), amount_minor in sorted(self.available.items())
                if owner_id == user_id
            ]
        )

    async def CreateDeposit(self, request: messages.CreateDepositRequest, call: Call) -> Message:
        user_id = call.require_person().user_id
        self.available[user_id, request.amount.currency_code] += request.amount.amount_minor
        return messages.CreateDepositResponse()

    async def AllotBiddingPower(
        self, request: messages.AllotBiddingPowerRequest, call: Call
    ) -> Message:
        return self._once("AllotBiddingPower", request, call, self._allot)

    async def ReturnBiddingPower(
        self, request: messages.ReturnBiddingPowerRequest, call: Call
    ) -> Message:
        return self._once("ReturnBiddingPower", request, call, self._return)

    async def SettleWin(self, request: messages.SettleWinRequest, call: Call) -> Message:
        return self._once("SettleWin", request, call, self._settle)

    def _once(self, name: str, request: Any, call: Call, work: Callable[[Any], Message]) -> Message:
        assert call.caller == "auction"
        self.calls.append((name, request))
        if self.away:
            raise DependencyUnavailable(dependency="postgres", retry_after_s=0.5)
        body = request.SerializeToString(deterministic=True)
        if request.request_id not in self._answers:
            try:
                answer: Message | BlytzError = work(request)
            except BlytzError as refusal:
                answer = refusal
            self._answers[request.request_id] = (body, answer)
        first_body, answer = self._answers[request.request_id]
        if first_body != body:
            raise RequestIdReused
        if self.deaf:
            raise DependencyUnavailable(dependency="network", retry_after_s=0.5)
        if isinstance(answer, BlytzError):
            raise answer
        return answer

    def _allot(self, request: messages.AllotBiddingPowerRequest) -> Message:
        code = request.amount.currency_code
        available_minor = self.available[request.user_id, code]
        if available_minor < request.minimum.amount_minor:
            raise InsufficientFunds(available_minor=available_minor)
        moved_minor = min(available_minor, request.amount.amount_minor)
        self.available[request.user_id, code] -= moved_minor
        self.allotted[request.user_id, request.shard, code] += moved_minor
        return messages.AllotBiddingPowerResponse(
            allotted=Money(currency_code=code, amount_minor=moved_minor)
        )

    def _return(self, request: messages.ReturnBiddingPowerRequest) -> Message:
        code = request.amount.currency_code
        self._take(request.user_id, request.shard, request.amount)
        self.available[request.user_id, code] += request.amount.amount_minor
        return messages.ReturnBiddingPowerResponse()

    def _settle(self, request: messages.SettleWinRequest) -> Message:
        if request.auction_id in self.settled:
            raise AuctionSettled
        price = request.hammer_price
        self._take(request.winner_id, request.shard, price)
        self.earned[request.seller_id, price.currency_code] += price.amount_minor
        self.settled.add(request.auction_id)
        return messages.SettleWinResponse()

    def _take(self, user_id: str, shard: int, amount: Money) -> None:
        key = (user_id, shard, amount.currency_code)
        if self.allotted[key] < amount.amount_minor:
            raise AllotmentTooSmall
        self.allotted[key] -= amount.amount_minor
