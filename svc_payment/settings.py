"""The settings of the payment service; each field is read from ``BLYTZ_`` and its name."""

from dataclasses import dataclass

from servicekit.settings import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class PaymentSettings(ServiceSettings):
    """What the wallet needs beside the common settings.

    ``stripe_api_base`` is empty for Stripe's own API; ``currencies`` lists ISO 4217 codes;
    ``reconcile_after_s`` is how long a deposit may stay undecided before the processor is asked.
    """

    stripe_api_key: str = ""
    stripe_api_base: str = ""
    stripe_webhook_secret: str = ""
    currencies: str = "USD,EUR,GBP"
    reconcile_after_s: float = 30.0
