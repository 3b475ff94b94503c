"""Pages of auctions and of bids as messages."""

from collections.abc import Sequence

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.common.v1.position_pb2 import Position
from svc_auction.application.ports import ListPosition
from svc_auction.domain.auction import Auction
from svc_auction.domain.events import BidPlaced
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.page_tokens import encode_position, encode_sequence
from svc_auction.infrastructure.postgres_auctions import list_position
from svc_auction.infrastructure.proto_mapping import auction_message, bid_message


def auctions_response(
    auctions: Sequence[Auction], aliases: Aliases, *, limit: int, viewer_id: str | None = None
) -> messages.ListAuctionsResponse:
    """Return a page of auctions; one that is full is followed by another."""
    token = ""
    if len(auctions) == limit:
        token = encode_position(ListPosition(*list_position(auctions[-1])))
    return messages.ListAuctionsResponse(
        auctions=[auction_message(auction, aliases, viewer_id=viewer_id) for auction in auctions],
        next_page_token=token,
    )


def bids_response(
    auction: Auction,
    bids: Sequence[BidPlaced],
    aliases: Aliases,
    *,
    limit: int,
    viewer_id: str | None = None,
) -> messages.ListBidsResponse:
    """Return a page of an auction's bids, and where the auction stood when both were read."""
    auction_id, book = auction.listing.auction_id, auction.book
    return messages.ListBidsResponse(
        bids=[
            bid_message(auction_id, auction.terms, bid, aliases, viewer_id=viewer_id)
            for bid in bids
        ],
        next_page_token=encode_sequence(bids[-1].sequence) if len(bids) == limit else "",
        position=Position(epoch=book.epoch, sequence=book.sequence),
    )
