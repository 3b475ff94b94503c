"""Stripe's test payment methods: what each of them does when it is charged."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TestCard:
    """A test card; it declines with a code, asks for authentication, or pays."""

    brand: str
    last4: str
    decline_code: str = ""
    needs_authentication: bool = False

    # The name begins with "Test", and yet this is no test.
    __test__ = False


TEST_CARDS = {
    "pm_card_visa": TestCard("visa", "4242"),
    "pm_card_mastercard": TestCard("mastercard", "4444"),
    "pm_card_chargeDeclined": TestCard("visa", "0002", decline_code="generic_decline"),
    "pm_card_visa_chargeDeclined": TestCard("visa", "0002", decline_code="generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": TestCard(
        "visa", "9995", decline_code="insufficient_funds"
    ),
    "pm_card_visa_chargeDeclinedInsufficientFunds": TestCard(
        "visa", "9995", decline_code="insufficient_funds"
    ),
    "pm_card_authenticationRequired": TestCard("visa", "3184", needs_authentication=True),
}

DECLINE_MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
}
