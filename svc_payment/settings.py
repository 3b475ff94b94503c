"""The settings of the payment service; each field is read from ``BLYTZ_`` and its name."""

from dataclasses import dataclass

from servicekit.settings import ServiceSettings, SettingsError
from svc_payment.domain.currencies import Currencies


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

    def __post_init__(self) -> None:
        """Refuse what could not work; ``SettingsError`` names the variable."""
        try:
            Currencies.parse(self.currencies)
        except ValueError as error:
            raise SettingsError(f"BLYTZ_CURRENCIES: {error}") from error
        if self.reconcile_after_s <= 0:
            raise SettingsError("BLYTZ_RECONCILE_AFTER_S must be above zero")
