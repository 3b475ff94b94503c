"""Whose auction it is: permission is checked before existence, so both look the same."""

from svc_auction.domain.auction import Auction, State
from svc_auction.domain.errors import AuctionNotFound


def own_auction(auction: Auction, seller_id: str) -> Auction:
    """Return the auction; ``AuctionNotFound`` unless the seller is its own."""
    if auction.terms.seller_id != seller_id:
        raise AuctionNotFound
    return auction


def visible_auction(auction: Auction, viewer_id: str | None) -> Auction:
    """Return the auction; ``AuctionNotFound`` for a draft of somebody else's."""
    if auction.book.state is State.DRAFT and auction.terms.seller_id != viewer_id:
        raise AuctionNotFound
    return auction
