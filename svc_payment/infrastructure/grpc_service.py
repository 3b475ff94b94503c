"""The wallet's RPCs: message in, use case, message out."""

import structlog
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from blytz.payment.v1 import wallet_service_pb2 as messages
from servicekit.call import Call
from svc_payment.application.allot_bidding_power import allot_bidding_power
from svc_payment.application.apply_stripe_event import apply_stripe_event
from svc_payment.application.create_deposit import create_deposit
from svc_payment.application.get_wallet import get_wallet
from svc_payment.application.ports import Ledger, PaymentProcessor
from svc_payment.application.return_bidding_power import return_bidding_power
from svc_payment.application.settle_win import settle_win
from svc_payment.domain.currencies import Currencies
from svc_payment.infrastructure import proto_mapping
from svc_payment.infrastructure.stripe_processor import StripeWebhook

SIGNATURE_HEADER = "stripe-signature"

log = structlog.get_logger(__name__)


class WalletGrpcService:
    """``blytz.payment.v1.WalletService``. Commands answer with the bytes that replays get too."""

    def __init__(
        self, *, ledger: Ledger, processor: PaymentProcessor, currencies: Currencies
    ) -> None:
        self._ledger = ledger
        self._processor = processor
        self._currencies = currencies

    async def GetWallet(
        self, _request: messages.GetWalletRequest, call: Call
    ) -> messages.GetWalletResponse:
        """Return the caller's balances."""
        user_id = call.require_person().user_id
        return proto_mapping.wallet_response(await get_wallet(user_id, ledger=self._ledger))

    async def CreateDeposit(self, request: messages.CreateDepositRequest, call: Call) -> bytes:
        """Charge a payment method and credit the caller's wallet."""
        return await create_deposit(
            proto_mapping.create_deposit_of(request, call),
            ledger=self._ledger,
            processor=self._processor,
            currencies=self._currencies,
        )

    async def AllotBiddingPower(
        self, request: messages.AllotBiddingPowerRequest, call: Call
    ) -> bytes:
        """Lend a person's money to a shard."""
        return await allot_bidding_power(proto_mapping.allot_of(request, call), ledger=self._ledger)

    async def ReturnBiddingPower(
        self, request: messages.ReturnBiddingPowerRequest, call: Call
    ) -> bytes:
        """Give unused bidding power back."""
        return await return_bidding_power(
            proto_mapping.return_of(request, call), ledger=self._ledger
        )

    async def SettleWin(self, request: messages.SettleWinRequest, call: Call) -> bytes:
        """Pay a won auction."""
        return await settle_win(proto_mapping.settle_of(request, call), ledger=self._ledger)


class PaymentGrpcService:
    """``blytz.payment.v1.PaymentService``."""

    def __init__(self, *, ledger: Ledger, webhook: StripeWebhook) -> None:
        self._ledger = ledger
        self._webhook = webhook

    async def HandleStripeWebhook(self, request: HttpBody, call: Call) -> Empty:
        """Take an event of Stripe's; one that is taken already or not about us is acknowledged."""
        event = self._webhook.read(request.data, call.metadata.get(SIGNATURE_HEADER, ""))
        if event is None:
            log.info("stripe_event_not_ours")
            return Empty()
        was_applied = await apply_stripe_event(event, ledger=self._ledger)
        log.info(
            "stripe_event_taken",
            stripe_event=event.event_id,
            type=event.event_type,
            deposit=event.deposit_id,
            applied=was_applied,
        )
        return Empty()
