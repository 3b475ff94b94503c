import { Code } from "@connectrpc/connect";
import type { ErrorReason as AuctionReason } from "@contracts/blytz/auction/v1/error_reason_pb";
import type { ErrorReason as CommonReason } from "@contracts/blytz/common/v1/error_reason_pb";
import type { ErrorReason as IdentityReason } from "@contracts/blytz/identity/v1/error_reason_pb";
import type { ErrorReason as PaymentReason } from "@contracts/blytz/payment/v1/error_reason_pb";
import type { ErrorReason as RealtimeReason } from "@contracts/blytz/realtime/v1/error_reason_pb";
import { formatMinor } from "../format/money";
import type { Failure } from "./failure";

type Reason = Exclude<
  | keyof typeof AuctionReason
  | keyof typeof CommonReason
  | keyof typeof IdentityReason
  | keyof typeof PaymentReason
  | keyof typeof RealtimeReason,
  "UNSPECIFIED"
>;
type Amount = (metadataKey: string) => string;

/**
 * A sentence for every reason that the contracts document; a reason without one does not compile.
 */
const SENTENCES: Record<Reason, string | ((amount: Amount, failure: Failure) => string)> = {
  INVALID_REQUEST: (_amount, failure) =>
    `Please check: ${Object.values(failure.fields).join("; ")}.`,
  REQUEST_ID_REUSED: "That was sent before with other content. Please try again.",
  TOKEN_MISSING: "Please sign in first.",
  TOKEN_INVALID: "Please sign in again.",
  TOKEN_EXPIRED: "Your session is over. Please sign in again.",
  CALLER_NOT_ALLOWED: "This is not available here.",
  ROLE_MISSING: "Your account may not do this yet.",
  RATE_LIMITED: "That was a little too fast. Wait a moment and try again.",
  OVERLOADED: "It is very busy right now. Try again in a moment.",
  TIMED_OUT: "No answer came in time. Try again; nothing counts twice.",
  DEPENDENCY_UNAVAILABLE: "A part of Blytz is away for the moment. Try again shortly.",
  INTERNAL: "Something broke on our side. Try again in a moment.",
  PAGE_TOKEN_INVALID: "This list has changed. Reload the page.",
  ETAG_MISMATCH: "This was changed in the meantime. Look at it again and decide anew.",
  UNKNOWN_METHOD: "This page is newer than the server. Reload in a minute.",
  AUCTION_NOT_FOUND: "There is no such auction.",
  AUCTION_NOT_LIVE: "This auction is not open for bids.",
  AUCTION_ENDED: "Bidding is over.",
  BID_TOO_LOW: (amount) =>
    `Someone was faster. The next bid is at least ${amount("minimum_minor")}.`,
  MAXIMUM_NOT_RAISED: (amount) =>
    `You lead already with a maximum of ${amount("maximum_minor")}. It can only be raised.`,
  INSUFFICIENT_FUNDS: (amount, failure) =>
    failure.metadata.shortfall_minor
      ? `Your wallet is ${amount("shortfall_minor")} short of this maximum.`
      : "Your wallet does not reach that far.",
  OWN_AUCTION: "You cannot bid on your own auction.",
  CURRENCY_MISMATCH: "This auction runs in another currency.",
  AUCTION_HAS_BIDS: "There are bids already, so it can no longer be called off.",
  STATE_TRANSITION_INVALID: "The auction has moved on and this is no longer possible.",
  TERMS_INVALID: (_amount, failure) => asSentence(failure.message),
  CONFIRM_LARGE_BID: (amount) =>
    `That is far above the price of ${amount("price_minor")}. Do you mean it?`,
  BIDDER_BLOCKED: "This seller does not take bids from your account.",
  LINKED_ACCOUNT: "Your account is linked to the seller's, so you cannot bid here.",
  BIDDER_LIMIT_EXCEEDED: (amount) =>
    `The limit for each bidder of this show is ${amount("limit_minor")}; ` +
    `you have ${amount("left_minor")} left.`,
  CARD_MISSING: "The seller takes bids from people with a saved card only.",
  BUY_NOW_UNAVAILABLE: (amount, failure) =>
    failure.metadata.price_minor
      ? `The price to buy it now is ${amount("price_minor")}.`
      : "It can no longer be bought at once.",
  RETRACTION_NOT_ALLOWED: (_amount, failure) => asSentence(failure.message),
  BID_NOT_FOUND: "There is no such bid of yours.",
  TERMS_FROZEN: "Bidding has begun, so only the description can be changed.",
  SHOW_NOT_FOUND: "There is no such show.",
  SHOW_STATE_INVALID: "The show has moved on and this is no longer possible.",
  LOT_OPEN: "Another lot is open. It has to end first.",
  NO_LOT_OPEN: "No lot is open right now.",
  NO_LOT_QUEUED: "No lot waits. Add one first.",
  LOT_ORDER_INVALID: "The line has changed in the meantime. Look at it again.",
  SHOW_FULL: "The show is full: it cannot take more lots.",
  SHARD_UNAVAILABLE: "This auction is out of reach for the moment. Nothing is lost; try again.",
  EMAIL_TAKEN: "An account with this e-mail address exists. Sign in instead.",
  CREDENTIALS_INVALID: "The e-mail address or the password is wrong.",
  REFRESH_TOKEN_INVALID: "Your session is over. Please sign in again.",
  REFRESH_TOKEN_REUSED: "For your safety you were signed out everywhere. Please sign in again.",
  USER_NOT_FOUND: "This account no longer exists.",
  CARD_DECLINED: (_amount, failure) => `The card was declined${declineReason(failure)}.`,
  CURRENCY_NOT_SUPPORTED: "The wallet does not keep this currency.",
  PAYMENT_METHOD_UNKNOWN: "This payment method is not known.",
  PROCESSOR_UNAVAILABLE: "The card processor did not answer. Try again; you are not charged twice.",
  ALLOTMENT_TOO_SMALL: "The money for this is not there any more.",
  AUCTION_SETTLED: "This auction was paid before.",
  WEBHOOK_SIGNATURE_INVALID: "The message could not be verified.",
  VIEWER_TOO_SLOW: "Your connection fell behind. Catching up.",
};

/** Says in a sentence for people what went wrong; amounts are in `currencyCode`. */
export function sentenceFor(failure: Failure, currencyCode = "USD"): string {
  const known = SENTENCES[failure.reason as Reason] as (typeof SENTENCES)[Reason] | undefined;
  if (typeof known === "string") return known;
  if (known) {
    return known((key) => formatMinor(BigInt(failure.metadata[key] ?? "0"), currencyCode), failure);
  }
  if (failure.code === Code.Unauthenticated) return "Please sign in again.";
  if (failure.code === Code.ResourceExhausted) return SENTENCES.RATE_LIMITED as string;
  if (failure.code === Code.DeadlineExceeded) return SENTENCES.TIMED_OUT as string;
  if (failure.outcomeUnknown) return "No connection to Blytz. Check your network and try again.";
  return SENTENCES.INTERNAL as string;
}

/** The server's own words where only they say what is wrong: they are written for people too. */
function asSentence(message: string): string {
  return message
    ? message.charAt(0).toUpperCase() + message.slice(1)
    : "This does not fit together.";
}

function declineReason(failure: Failure): string {
  const code = failure.metadata.decline_code;
  return code ? ` (${code.replaceAll("_", " ")})` : "";
}
