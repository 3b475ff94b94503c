"""Rows of shows as domain objects, and back."""

from typing import Any

from kernel.money import Money
from svc_auction.domain.show import Show, ShowState

Row = tuple[Any, ...]


def to_show(row: Row) -> Show:
    """Return a show from the columns of ``lock_show``."""
    (show_id, seller_id, seller_name, title, description, image_url, state) = row[:7]
    (starts_at, ended_at, lot_ids, limit_currency, bidder_limit_minor) = row[7:12]
    revision, sequence, created_at = row[12:15]
    return Show(
        show_id=show_id,
        seller_id=seller_id,
        seller_name=seller_name,
        title=title,
        description=description,
        image_url=image_url,
        state=ShowState(state),
        starts_at=starts_at,
        ended_at=ended_at,
        lot_ids=tuple(lot_ids),
        bidder_limit=None
        if bidder_limit_minor is None
        else Money(limit_currency, bidder_limit_minor),
        revision=revision,
        sequence=sequence,
        created_at=created_at,
    )


def show_parameters(show: Show) -> dict[str, Any]:
    """Return the columns of ``shows``, but those of the command that announced the show."""
    limit = show.bidder_limit
    return {
        "show_id": show.show_id,
        "seller_id": show.seller_id,
        "seller_name": show.seller_name,
        "title": show.title,
        "description": show.description,
        "image_url": show.image_url,
        "state": show.state,
        "starts_at": show.starts_at,
        "ended_at": show.ended_at,
        "lot_ids": list(show.lot_ids),
        "limit_currency": limit and limit.currency_code,
        "bidder_limit_minor": limit and limit.amount_minor,
        "revision": show.revision,
        "sequence": show.sequence,
        "created_at": show.created_at,
    }
