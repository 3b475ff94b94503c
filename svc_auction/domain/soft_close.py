"""The soft close: a late bid moves the end, so that nobody wins by being the last to click."""

from datetime import datetime

from svc_auction.domain.book import Book
from svc_auction.domain.terms import Terms


def extend(terms: Terms, book: Book, now: datetime) -> bool:
    """Move the end if an accepted bid at ``now`` is late; it never moves back."""
    soft_close = terms.soft_close
    if soft_close is None or book.ends_at is None or book.announced_end_at is None:
        return False
    if book.ends_at - now >= soft_close.extend_within:
        return False
    ends_at = now + soft_close.extend_by
    if soft_close.latest_end_after is not None:
        ends_at = min(ends_at, book.announced_end_at + soft_close.latest_end_after)
    if book.extension_count >= soft_close.extensions_max or ends_at <= book.ends_at:
        return False
    book.ends_at = ends_at
    book.extension_count += 1
    return True
