"""What can go wrong for a viewer, in the contract's terms."""

from kernel.errors import BlytzError, ErrorKind


class AuctionNotFound(BlytzError):
    """There is no auction {auction_id} to watch."""

    kind = ErrorKind.NOT_FOUND
    reason = "AUCTION_NOT_FOUND"
    public_facts = frozenset({"auction_id"})


class ViewerTooSlow(BlytzError):
    """The stream fell too far behind: connect again with the last position."""

    kind = ErrorKind.EXHAUSTED
    reason = "VIEWER_TOO_SLOW"


class FeedUnavailable(BlytzError):
    """The feed cannot be served for the moment: {dependency} is away."""

    kind = ErrorKind.UNAVAILABLE
    reason = "DEPENDENCY_UNAVAILABLE"
    public_facts = frozenset({"dependency"})


class HubFull(BlytzError):
    """This replica has as many viewers or auctions as it can serve: come back in a moment."""

    kind = ErrorKind.EXHAUSTED
    reason = "OVERLOADED"
