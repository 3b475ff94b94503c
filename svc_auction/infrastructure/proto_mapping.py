"""Auctions and bids as the contract's messages."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1 import auction_pb2, auction_service_pb2
from blytz.auction.v1.auction_pb2 import ReserveStatus
from blytz.common.v1.money_pb2 import Money
from blytz.common.v1.position_pb2 import Position
from svc_auction.application.ports import PlacedBid
from svc_auction.application.read_auctions import OwnStanding
from svc_auction.domain.auction import Auction
from svc_auction.domain.bidding import buy_now_minor
from svc_auction.domain.book import Book, State
from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.events import BidPlaced
from svc_auction.domain.terms import Terms
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.terms_mapping import terms_message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_BUYABLE = frozenset({State.LIVE, State.QUEUED})


def to_timestamp(at: datetime) -> Timestamp:
    """Return a time as the well-known type."""
    seconds, rest = divmod(at - _EPOCH, _SECOND)
    return Timestamp(seconds=seconds, nanos=rest.microseconds * 1_000)


def to_datetime(timestamp: Timestamp) -> datetime:
    """Return a well-known timestamp as a UTC time; ``TermsInvalid`` if there is no such time."""
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise TermsInvalid(problem="a time lies outside the calendar") from error


def reserve_status(terms: Terms, leader_maximum_minor: int) -> ReserveStatus.ValueType:
    """Return what may be known about the reserve."""
    if terms.reserve_minor is None:
        return auction_pb2.RESERVE_STATUS_NONE
    if leader_maximum_minor >= terms.reserve_minor:
        return auction_pb2.RESERVE_STATUS_MET
    return auction_pb2.RESERVE_STATUS_NOT_MET


def auction_message(
    auction: Auction, aliases: Aliases, *, viewer_id: str | None = None
) -> auction_pb2.Auction:
    """Return an auction as anyone may see it; its seller also sees who leads.

    While a sealed auction runs it tells neither amounts nor a leader, to nobody.
    """
    listing, terms, book = auction.listing, auction.terms, auction.book
    hidden = terms.format.sealed and book.is_open
    price_minor = book.price_minor
    if book.is_open:
        price_minor = terms.format.shown_price_minor(terms, price_minor)
    leader_id = None if hidden else book.leader_id
    message = auction_pb2.Auction(
        auction_id=listing.auction_id,
        seller_id=terms.seller_id,
        seller_name=listing.seller_name,
        title=listing.title,
        description=listing.description,
        image_url=listing.image_url,
        terms=terms_message(terms),
        reserve_status=reserve_status(terms, 0 if hidden else book.leader_maximum_minor),
        state=auction_pb2.AuctionState.ValueType(book.state),
        outcome=auction_pb2.AuctionOutcome.ValueType(book.outcome or 0),
        price=Money(currency_code=terms.currency_code, amount_minor=price_minor),
        minimum_next_bid=Money(
            currency_code=terms.currency_code, amount_minor=_minimum_next_bid_minor(terms, book)
        ),
        bid_count=book.bid_count,
        leader_alias=aliases.of(listing.auction_id, leader_id) if leader_id else "",
        created_at=to_timestamp(listing.created_at),
        position=Position(epoch=book.epoch, sequence=book.sequence),
        bid_log_head=book.log_head,
        extension_count=book.extension_count,
        show_id=terms.show_id or "",
        etag=auction.etag,
        buy_now_offered=book.state in _BUYABLE and buy_now_minor(terms, book) is not None,
        leader_id=leader_id or "" if viewer_id == terms.seller_id else "",
    )
    if book.state is not State.DRAFT and book.starts_at is not None:
        message.starts_at.CopyFrom(to_timestamp(book.starts_at))
    if book.state is not State.DRAFT and book.ends_at is not None:
        # A lot that was bought while it waited has ended, and has never started.
        message.ends_at.CopyFrom(to_timestamp(book.ends_at))
    if book.paused_at is not None:
        message.paused_at.CopyFrom(to_timestamp(book.paused_at))
    if book.paused_for:
        message.paused_for.FromTimedelta(book.paused_for)
    return message


def _minimum_next_bid_minor(terms: Terms, book: Book) -> int:
    """Return the least maximum that would be accepted; of a falling price, where it started.

    What a falling price has come to follows from the terms and the time, and only the clock knows.
    """
    if book.bid_count == 0:
        return terms.opening_minor
    return terms.format.next_minimum_minor(terms, book.price_minor)


def bid_message(
    auction_id: str,
    terms: Terms,
    event: BidPlaced,
    aliases: Aliases,
    *,
    viewer_id: str | None = None,
) -> auction_pb2.Bid:
    """Return an accepted bid as anyone may see it: without its maximum.

    The seller and the bidder themselves also see who bid. Sealed bids never tell a price.
    """
    sealed = terms.format.sealed
    price_minor = terms.opening_minor if sealed else event.price_minor
    return auction_pb2.Bid(
        bid_id=event.bid_id,
        auction_id=auction_id,
        sequence=event.sequence,
        bidder_alias=aliases.of(auction_id, event.bidder_id),
        price=Money(currency_code=terms.currency_code, amount_minor=price_minor),
        leader_alias="" if sealed else aliases.of(auction_id, event.leader_id),
        placed_at=to_timestamp(event.occurred_at),
        record_hash=event.record_hash,
        bidder_id=event.bidder_id if viewer_id in {terms.seller_id, event.bidder_id} else "",
        retracted=event.retracted,
    )


def place_bid_response(placed: PlacedBid, aliases: Aliases) -> auction_service_pb2.PlaceBidResponse:
    """Return the answer to an accepted bid; the same for every replay."""
    event, terms = placed.event, placed.terms
    bid = bid_message(placed.auction_id, terms, event, aliases)
    next_minor = terms.format.next_minimum_minor(terms, event.price_minor)
    response = auction_service_pb2.PlaceBidResponse(
        bid=bid,
        leading=event.leader_id == event.bidder_id and not terms.format.sealed,
        price=bid.price,
        minimum_next_bid=Money(
            currency_code=terms.currency_code,
            amount_minor=event.price_minor if event.won else next_minor,
        ),
        position=Position(epoch=placed.epoch, sequence=event.sequence),
        won=event.won,
    )
    response.bid.retracted = False
    if event.ends_at is not None:
        response.ends_at.CopyFrom(to_timestamp(event.ends_at))
    return response


def buy_now_response(placed: PlacedBid, aliases: Aliases) -> auction_service_pb2.BuyNowResponse:
    """Return the answer to a purchase; the same for every replay."""
    event, terms = placed.event, placed.terms
    return auction_service_pb2.BuyNowResponse(
        bid=bid_message(placed.auction_id, terms, event, aliases),
        price=Money(currency_code=terms.currency_code, amount_minor=event.price_minor),
        ended_at=to_timestamp(event.occurred_at),
        position=Position(epoch=placed.epoch, sequence=event.sequence),
    )


def own_standing_message(
    standing: OwnStanding, auction: Auction, aliases: Aliases
) -> auction_service_pb2.OwnStanding:
    """Return what only the bidder may see."""
    return auction_service_pb2.OwnStanding(
        alias=aliases.of(auction.listing.auction_id, standing.bidder_id),
        leading=standing.leading,
        maximum=Money(
            currency_code=auction.terms.currency_code, amount_minor=standing.maximum_minor
        ),
    )
