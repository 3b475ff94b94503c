"""Why an auction refuses; each reason stands in the contract."""

from kernel.errors import BlytzError, ErrorKind


class AuctionNotFound(BlytzError):
    """There is no such auction."""

    kind = ErrorKind.NOT_FOUND
    reason = "AUCTION_NOT_FOUND"


class AuctionNotLive(BlytzError):
    """The auction does not take bids: it is {state}."""

    kind = ErrorKind.PRECONDITION
    reason = "AUCTION_NOT_LIVE"
    public_facts = frozenset({"state"})


class AuctionEnded(BlytzError):
    """Bidding on this auction is over."""

    kind = ErrorKind.PRECONDITION
    reason = "AUCTION_ENDED"


class BidTooLow(BlytzError):
    """The maximum is below the minimum next bid of {minimum_minor} minor units."""

    kind = ErrorKind.PRECONDITION
    reason = "BID_TOO_LOW"
    public_facts = frozenset({"minimum_minor"})


class MaximumNotRaised(BlytzError):
    """You lead already with a maximum of {maximum_minor} minor units: it can only be raised."""

    kind = ErrorKind.PRECONDITION
    reason = "MAXIMUM_NOT_RAISED"
    public_facts = frozenset({"maximum_minor"})


class InsufficientFunds(BlytzError):
    """The wallet cannot fund this maximum: {shortfall_minor} minor units are missing."""

    kind = ErrorKind.PRECONDITION
    reason = "INSUFFICIENT_FUNDS"
    public_facts = frozenset({"shortfall_minor"})

    shortfall_minor: int


class OwnAuction(BlytzError):
    """Sellers cannot bid on their own auctions."""

    kind = ErrorKind.FORBIDDEN
    reason = "OWN_AUCTION"


class CurrencyMismatch(BlytzError):
    """This auction is in {currency_code}."""

    kind = ErrorKind.INVALID
    reason = "CURRENCY_MISMATCH"
    public_facts = frozenset({"currency_code"})


class AuctionHasBids(BlytzError):
    """The auction has bids: only a moderator may call it off now."""

    kind = ErrorKind.PRECONDITION
    reason = "AUCTION_HAS_BIDS"


class StateTransitionInvalid(BlytzError):
    """The auction is {state} and cannot be {wanted} from there."""

    kind = ErrorKind.PRECONDITION
    reason = "STATE_TRANSITION_INVALID"
    public_facts = frozenset({"state"})


class ConfirmLargeBid(BlytzError):
    """This is far above the price of {price_minor} minor units: confirm that it is meant."""

    kind = ErrorKind.PRECONDITION
    reason = "CONFIRM_LARGE_BID"
    public_facts = frozenset({"price_minor", "confirmation_token"})

    price_minor: int


class BidderBlocked(BlytzError):
    """The seller does not take bids from this account."""

    kind = ErrorKind.FORBIDDEN
    reason = "BIDDER_BLOCKED"


class LinkedAccount(BlytzError):
    """This account is linked to the seller's and cannot bid on their auctions."""

    kind = ErrorKind.FORBIDDEN
    reason = "LINKED_ACCOUNT"


class BidderLimitExceeded(BlytzError):
    """In this show a bidder may commit {limit_minor} minor units; you have {left_minor} left."""

    kind = ErrorKind.PRECONDITION
    reason = "BIDDER_LIMIT_EXCEEDED"
    public_facts = frozenset({"limit_minor", "left_minor"})


class CardMissing(BlytzError):
    """The seller takes bids from people with a saved card only."""

    kind = ErrorKind.PRECONDITION
    reason = "CARD_MISSING"


class BuyNowUnavailable(BlytzError):
    """The auction cannot be bought at this price now."""

    kind = ErrorKind.PRECONDITION
    reason = "BUY_NOW_UNAVAILABLE"
    public_facts = frozenset({"price_minor"})


class RetractionNotAllowed(BlytzError):
    """This bid cannot be taken back: {problem}."""

    kind = ErrorKind.PRECONDITION
    reason = "RETRACTION_NOT_ALLOWED"


class BidNotFound(BlytzError):
    """There is no such bid of yours in this auction."""

    kind = ErrorKind.NOT_FOUND
    reason = "BID_NOT_FOUND"


class TermsFrozen(BlytzError):
    """Bidding has begun: only the description can be changed now."""

    kind = ErrorKind.PRECONDITION
    reason = "TERMS_FROZEN"


class EtagMismatch(BlytzError):
    """It was changed after you read it: read it again and decide anew."""

    kind = ErrorKind.ABORTED
    reason = "ETAG_MISMATCH"


class TermsInvalid(BlytzError):
    """The terms do not fit together: {problem}."""

    kind = ErrorKind.INVALID
    reason = "TERMS_INVALID"


class ShardUnavailable(BlytzError):
    """The database that keeps this auction is away for the moment."""

    kind = ErrorKind.UNAVAILABLE
    reason = "SHARD_UNAVAILABLE"
