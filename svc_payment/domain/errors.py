"""What the wallet refuses. The reasons are those of ``blytz.payment.v1.ErrorReason``."""

from kernel.errors import BlytzError, ErrorKind


class Refusal(BlytzError):
    """The wallet decided against the command."""

    # A refusal is an answer: it is stored and replayed like a success.


class InsufficientFunds(Refusal):
    """The available balance of {available_minor} minor units is too small."""

    kind = ErrorKind.PRECONDITION
    reason = "INSUFFICIENT_FUNDS"
    public_facts = frozenset({"available_minor"})


class AllotmentTooSmall(Refusal):
    """The shard was allotted {allotted_minor} minor units, less than it gives back or spends."""

    kind = ErrorKind.PRECONDITION
    reason = "ALLOTMENT_TOO_SMALL"
    public_facts = frozenset({"allotted_minor"})


class AuctionSettled(Refusal):
    """The auction was settled before by another command."""

    kind = ErrorKind.ALREADY_EXISTS
    reason = "AUCTION_SETTLED"


class CardDeclined(Refusal):
    """The processor declined the payment: {decline_code}."""

    kind = ErrorKind.PRECONDITION
    reason = "CARD_DECLINED"
    public_facts = frozenset({"decline_code"})


class PaymentMethodUnknown(Refusal):
    """The processor does not know this payment method."""

    kind = ErrorKind.INVALID
    reason = "PAYMENT_METHOD_UNKNOWN"


class CurrencyNotSupported(BlytzError):
    """The wallet does not keep {currency_code}."""

    kind = ErrorKind.INVALID
    reason = "CURRENCY_NOT_SUPPORTED"
    public_facts = frozenset({"currency_code"})


class ProcessorUnavailable(BlytzError):
    """The processor did not answer; send the same request_id again to learn the outcome."""

    kind = ErrorKind.UNAVAILABLE
    reason = "PROCESSOR_UNAVAILABLE"


class WebhookSignatureInvalid(BlytzError):
    """The signature does not fit the body and the secret, or is too old."""

    kind = ErrorKind.INVALID
    reason = "WEBHOOK_SIGNATURE_INVALID"


class PaymentContradictsDeposit(BlytzError):
    """The processor's payment {payment_id} does not fit deposit {deposit_id}."""

    # A fault that a person must look at: amount or currency differ, or a second payment turned up.


REFUSALS: dict[str, type[Refusal]] = {
    refusal.reason: refusal
    for refusal in (
        InsufficientFunds,
        AllotmentTooSmall,
        AuctionSettled,
        CardDeclined,
        PaymentMethodUnknown,
    )
}
"""Every refusal by its reason, so that a stored one can be raised again."""
