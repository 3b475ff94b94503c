"""What anyone may read, by way of the cache: auctions, their bids, and lists of auctions.

Nothing here knows who asks. A picture may be a second old; a page of bids is kept by the position
that it was read at, so it is exact for that position for ever. Replicas are asked where what they
say is known to be no older than what has been seen.
"""

from dataclasses import dataclass

from blytz.auction.v1 import auction_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from svc_auction.application.ports import ListPosition, Position, position_of
from svc_auction.application.read_auctions import ReadAuctions
from svc_auction.domain.book import State
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.proto_mapping import auction_message
from svc_auction.infrastructure.read_cache import Page, Picture, ReadCache
from svc_auction.infrastructure.reading_mapping import auctions_response, bids_response

LIST_TTL_MS = 1_000
BIDS_TTL_MS = 10_000
"""Pages of bids stay true: they go when nobody is likely to ask for that position again."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list of auctions is asked for by."""

    state: State
    seller_id: str | None
    after: ListPosition | None
    limit: int

    @property
    def key(self) -> str:
        """What the page is kept under."""
        after = f"{self.after.at.isoformat()}|{self.after.auction_id}" if self.after else ""
        return f"auctions|{self.state:d}|{self.seller_id or ''}|{after}|{self.limit}"


class PublicReads:
    """Public answers, each read once a second or once a position for everyone."""

    def __init__(self, *, read: ReadAuctions, cache: ReadCache, aliases: Aliases) -> None:
        self._read = read
        self._cache = cache
        self._aliases = aliases

    async def auction(self, auction_id: str) -> auction_pb2.Auction:
        """Return an auction as it stood within the last second; ``AuctionNotFound`` for drafts."""

        async def load(floor: Position | None) -> Picture:
            # Only a floor proves that what a replica says is recent.
            auction = await self._read.get_public(auction_id, at_least=floor)
            message = auction_message(auction, self._aliases).SerializeToString()
            public = auction.book.state is not State.DRAFT
            return Picture(position_of(auction), message, cacheable=public)

        picture = await self._cache.picture(auction_id, load)
        return auction_pb2.Auction.FromString(picture.message)

    async def bids(
        self, auction: auction_pb2.Auction, *, before_sequence: int, limit: int
    ) -> messages.ListBidsResponse:
        """Return a page of the bids of an auction that was just read, or of a later moment."""
        auction_id = auction.auction_id
        seen = auction.position.epoch, auction.position.sequence

        def key_of(position: Position) -> str:
            epoch, sequence = position
            return f"bids|{auction_id}|{epoch}|{sequence}|{before_sequence}|{limit}"

        async def load() -> Page:
            read, bids = await self._read.list_bids(
                auction_id,
                viewer_id=None,
                before_sequence=before_sequence,
                limit=limit,
                at_least=seen,
            )
            response = bids_response(read, bids, self._aliases, limit=limit)
            return Page(key_of(position_of(read)), response.SerializeToString(), BIDS_TTL_MS)

        return messages.ListBidsResponse.FromString(await self._cache.page(key_of(seen), load))

    async def auctions(self, query: ListQuery) -> messages.ListAuctionsResponse:
        """Return a page of auctions as it was within the last second."""

        async def load() -> Page:
            auctions = await self._read.list_auctions(
                state=query.state,
                seller_id=query.seller_id,
                viewer_id=None,
                after=query.after,
                limit=query.limit,
                may_lag=True,
            )
            response = auctions_response(auctions, self._aliases, limit=query.limit)
            return Page(query.key, response.SerializeToString(), LIST_TTL_MS)

        return messages.ListAuctionsResponse.FromString(await self._cache.page(query.key, load))
