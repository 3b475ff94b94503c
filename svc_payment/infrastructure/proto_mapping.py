"""Between the contract's messages and the wallet's own terms."""

from collections.abc import Sequence
from hashlib import sha256

from blytz.common.v1 import money_pb2
from blytz.events.v1.event_pb2 import Event
from blytz.events.v1.payment_events_pb2 import PaymentSucceeded as PaymentSucceededMessage
from blytz.payment.v1 import wallet_service_pb2 as messages
from kernel.ids import new_id
from kernel.money import Money
from servicekit.call import Call, current_call
from svc_payment.application.allot_bidding_power import AllotBiddingPower
from svc_payment.application.create_deposit import CreateDeposit
from svc_payment.application.ports import Answer, Balances, CommandKey, NewDeposit
from svc_payment.application.return_bidding_power import ReturnBiddingPower
from svc_payment.application.settle_win import SettleWin
from svc_payment.domain.events import PaymentSucceeded

Command = (
    messages.CreateDepositRequest
    | messages.AllotBiddingPowerRequest
    | messages.ReturnBiddingPowerRequest
    | messages.SettleWinRequest
)


def create_deposit_of(request: messages.CreateDepositRequest, call: Call) -> CreateDeposit:
    """Return the command of a signed-in person."""
    user_id = call.require_person().user_id
    return CreateDeposit(
        key=_key_of(request, method="CreateDeposit", principal=user_id),
        new=NewDeposit(
            deposit_id=new_id(),
            user_id=user_id,
            amount=_amount(request.amount),
            payment_method_id=request.payment_method_id,
        ),
    )


def allot_of(request: messages.AllotBiddingPowerRequest, call: Call) -> AllotBiddingPower:
    """Return the command of an auction shard."""
    return AllotBiddingPower(
        key=_key_of(request, method="AllotBiddingPower", principal=call.caller),
        user_id=request.user_id.lower(),
        shard=request.shard,
        amount=_amount(request.amount),
        minimum=_amount(request.minimum),
    )


def return_of(request: messages.ReturnBiddingPowerRequest, call: Call) -> ReturnBiddingPower:
    """Return the command of an auction shard."""
    return ReturnBiddingPower(
        key=_key_of(request, method="ReturnBiddingPower", principal=call.caller),
        user_id=request.user_id.lower(),
        shard=request.shard,
        amount=_amount(request.amount),
    )


def settle_of(request: messages.SettleWinRequest, call: Call) -> SettleWin:
    """Return the command of an auction shard."""
    return SettleWin(
        key=_key_of(request, method="SettleWin", principal=call.caller),
        auction_id=request.auction_id.lower(),
        winner_id=request.winner_id.lower(),
        seller_id=request.seller_id.lower(),
        shard=request.shard,
        hammer_price=_amount(request.hammer_price),
    )


def wallet_response(balances: Sequence[Balances]) -> messages.GetWalletResponse:
    """Return the balances as the contract has them."""
    return messages.GetWalletResponse(
        balances=[
            messages.Balance(
                available=_money(balance.available),
                bidding_power=_money(balance.bidding_power),
                pending_earnings=_money(balance.pending_earnings),
            )
            for balance in balances
        ]
    )


def encode_answer(answer: Answer) -> bytes:
    """Return the response of a command as its caller gets it."""
    if answer is None:
        # ReturnBiddingPowerResponse and SettleWinResponse have no fields.
        return b""
    if isinstance(answer, Money):
        return messages.AllotBiddingPowerResponse(allotted=_money(answer)).SerializeToString()
    deposit = messages.Deposit(
        deposit_id=answer.deposit_id,
        amount=_money(answer.amount),
        state=messages.DepositState.Value(f"DEPOSIT_STATE_{answer.state}"),
        client_secret=answer.client_secret,
    )
    deposit.created_at.FromDatetime(answer.created_at)
    return messages.CreateDepositResponse(deposit=deposit).SerializeToString()


def encode_event(event: PaymentSucceeded) -> bytes:
    """Return ``payment.ok`` in its envelope, the first and only event of its deposit."""
    call = current_call.get()
    envelope = Event(
        event_id=new_id(),
        type="payment.ok",
        aggregate_id=event.deposit_id,
        epoch=1,
        sequence=1,
        traceparent=call.traceparent if call else "",
        payment_succeeded=PaymentSucceededMessage(
            user_id=event.user_id, deposit_id=event.deposit_id, amount=_money(event.amount)
        ),
    )
    envelope.occurred_at.FromDatetime(event.occurred_at)
    return envelope.SerializeToString()


def _money(amount: Money) -> money_pb2.Money:
    return money_pb2.Money(currency_code=amount.currency_code, amount_minor=amount.amount_minor)


def _amount(message: money_pb2.Money) -> Money:
    return Money(message.currency_code, message.amount_minor)


def _key_of(request: Command, *, method: str, principal: str) -> CommandKey:
    """Return what tells a replay of this command from another command."""
    return CommandKey(
        principal=principal,
        method=method,
        request_id=request.request_id.lower(),
        body_hash=sha256(request.SerializeToString(deterministic=True)).digest(),
    )
