"""Shows for tests of the pure rules."""

from dataclasses import replace
from typing import Any

from fakes.auction_books import SELLER, START
from kernel.ids import new_id
from svc_auction.application.show_ports import NewShow
from svc_auction.domain.show import Show, ShowState

SHOW_ID = "0190a1b2-0000-7000-8000-000000000051"


def show_of(**changes: Any) -> Show:
    """Return an announced show without lots, changed as asked."""
    return replace(
        Show(
            show_id=SHOW_ID,
            seller_id=SELLER,
            seller_name="Sue's shop",
            title="Sunday watches",
            description="They tick.",
            image_url="/w.jpg",
            state=ShowState.SCHEDULED,
            starts_at=START,
            ended_at=None,
            lot_ids=(),
            bidder_limit=None,
            revision=1,
            sequence=1,
            created_at=START,
        ),
        **changes,
    )


def new_show(**changes: Any) -> NewShow:
    """Return a command that announces a show, changed as asked."""
    facts: dict[str, Any] = {
        "request_id": new_id(),
        "body_hash": b"\x01" * 32,
        "seller_id": new_id(),
        "seller_name": "Sue's shop",
        "title": "Sunday watches",
        "description": "They tick.",
        "image_url": "/w.jpg",
        "starts_at": START,
        "bidder_limit": None,
    }
    return NewShow(**facts | changes)
