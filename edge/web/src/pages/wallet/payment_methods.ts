/** The currency of new auctions and deposits. */
export const DEFAULT_CURRENCY_CODE = "USD";

/** The processor's test cards, each with what it does. */
export const TEST_CARDS = [
  ["pm_card_visa", "Visa test card"],
  ["pm_card_mastercard", "Mastercard test card"],
  ["pm_card_chargeDeclined", "Card that is declined"],
  ["pm_card_chargeDeclinedInsufficientFunds", "Card without funds"],
  ["pm_card_authenticationRequired", "Card that asks for confirmation"],
] as const satisfies readonly (readonly [string, string])[];
