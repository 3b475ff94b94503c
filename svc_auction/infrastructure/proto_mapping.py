"""Auctions and bids as the contract's messages."""

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1 import auction_pb2, auction_service_pb2
from blytz.auction.v1.auction_pb2 import ReserveStatus
from blytz.common.v1.money_pb2 import Money
from blytz.common.v1.position_pb2 import Position
from svc_auction.application.ports import PlacedBid
from svc_auction.application.read_auctions import OwnStanding
from svc_auction.domain.auction import Auction, Funding, SoftClose, State, Terms
from svc_auction.domain.bidding import minimum_next_bid_minor
from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.events import BidPlaced
from svc_auction.domain.increments import DEFAULT_LADDER, Ladder, Step
from svc_auction.infrastructure.aliases import Aliases

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)


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


def to_terms(message: auction_pb2.AuctionTerms, *, seller_id: str, reserve: Money | None) -> Terms:
    """Return the terms of a draft; ``TermsInvalid`` if they contradict each other."""
    currency_code = message.opening_price.currency_code
    if reserve is not None and reserve.currency_code != currency_code:
        raise TermsInvalid(problem=f"the reserve is not in {currency_code}")
    return Terms(
        seller_id=seller_id,
        currency_code=currency_code,
        opening_minor=message.opening_price.amount_minor,
        reserve_minor=reserve.amount_minor if reserve is not None else None,
        ladder=Ladder([Step(s.price_from_minor, s.step_minor) for s in message.increments])
        if message.increments
        else DEFAULT_LADDER,
        soft_close=_to_soft_close(message.soft_close) if message.HasField("soft_close") else None,
        funding=Funding(message.funding_policy),
    )


def _to_soft_close(message: auction_pb2.SoftClose) -> SoftClose:
    return SoftClose(
        extend_within=_whole_milliseconds(message.extend_within),
        extend_by=_whole_milliseconds(message.extend_by),
        extensions_max=message.extensions_max,
    )


def _whole_milliseconds(duration: Duration) -> timedelta:
    return duration.ToTimedelta() // _MILLISECOND * _MILLISECOND


def terms_message(terms: Terms) -> auction_pb2.AuctionTerms:
    """Return the terms as anyone may see them: without the reserve."""
    message = auction_pb2.AuctionTerms(
        format=auction_pb2.AUCTION_FORMAT_ENGLISH,
        opening_price=Money(currency_code=terms.currency_code, amount_minor=terms.opening_minor),
        increments=[
            auction_pb2.IncrementStep(
                price_from_minor=step.price_from_minor, step_minor=step.step_minor
            )
            for step in terms.ladder.steps
        ],
        funding_policy=auction_pb2.FundingPolicy.ValueType(terms.funding),
    )
    if terms.soft_close is not None:
        message.soft_close.extend_within.FromTimedelta(terms.soft_close.extend_within)
        message.soft_close.extend_by.FromTimedelta(terms.soft_close.extend_by)
        message.soft_close.extensions_max = terms.soft_close.extensions_max
    return message


def auction_message(auction: Auction, aliases: Aliases) -> auction_pb2.Auction:
    """Return an auction as anyone may see it."""
    listing, terms, book = auction.listing, auction.terms, auction.book
    currency_code = terms.currency_code
    message = auction_pb2.Auction(
        auction_id=listing.auction_id,
        seller_id=terms.seller_id,
        seller_name=listing.seller_name,
        title=listing.title,
        description=listing.description,
        image_url=listing.image_url,
        terms=terms_message(terms),
        reserve_status=reserve_status(terms, book.leader_maximum_minor),
        state=auction_pb2.AuctionState.ValueType(book.state),
        outcome=auction_pb2.AuctionOutcome.ValueType(book.outcome or 0),
        price=Money(currency_code=currency_code, amount_minor=book.price_minor),
        minimum_next_bid=Money(
            currency_code=currency_code, amount_minor=minimum_next_bid_minor(terms, book)
        ),
        bid_count=book.bid_count,
        leader_alias=aliases.of(listing.auction_id, book.leader_id) if book.leader_id else "",
        created_at=to_timestamp(listing.created_at),
        position=Position(epoch=book.epoch, sequence=book.sequence),
        bid_log_head=book.log_head,
        extension_count=book.extension_count,
    )
    if book.state is not State.DRAFT and book.starts_at is not None and book.ends_at is not None:
        message.starts_at.CopyFrom(to_timestamp(book.starts_at))
        message.ends_at.CopyFrom(to_timestamp(book.ends_at))
    return message


def bid_message(
    auction_id: str, currency_code: str, event: BidPlaced, aliases: Aliases
) -> auction_pb2.Bid:
    """Return an accepted bid as anyone may see it: without its maximum."""
    return auction_pb2.Bid(
        bid_id=event.bid_id,
        auction_id=auction_id,
        sequence=event.sequence,
        bidder_alias=aliases.of(auction_id, event.bidder_id),
        price=Money(currency_code=currency_code, amount_minor=event.price_minor),
        leader_alias=aliases.of(auction_id, event.leader_id),
        placed_at=to_timestamp(event.occurred_at),
        record_hash=event.record_hash,
    )


def place_bid_response(placed: PlacedBid, aliases: Aliases) -> auction_service_pb2.PlaceBidResponse:
    """Return the answer to an accepted bid; the same for every replay."""
    event, terms = placed.event, placed.terms
    currency_code = terms.currency_code
    price_minor = event.price_minor
    return auction_service_pb2.PlaceBidResponse(
        bid=bid_message(placed.auction_id, currency_code, event, aliases),
        leading=event.leader_id == event.bidder_id,
        price=Money(currency_code=currency_code, amount_minor=price_minor),
        minimum_next_bid=Money(
            currency_code=currency_code,
            amount_minor=price_minor + terms.ladder.step_minor(price_minor),
        ),
        ends_at=to_timestamp(event.ends_at),
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
