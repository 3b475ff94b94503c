"""Whose auction it is: permission is checked before existence, so both look the same."""

from svc_auction.domain.auction import Auction
from svc_auction.domain.errors import AuctionNotFound


def own_auction(auction: Auction, seller_id: str) -> Auction:
    """Return the auction; ``AuctionNotFound`` unless the seller is its own."""
    if auction.terms.seller_id != seller_id:
        raise AuctionNotFound
    return auction


def visible_auction(auction: Auction, viewer_id: str | None) -> Auction:
    """Return the auction; ``AuctionNotFound`` for one of somebody else's that never was public."""
    never_public = auction.book.ends_at is None and auction.terms.show_id is None
    if never_public and auction.terms.seller_id != viewer_id:
        raise AuctionNotFound
    return auction
