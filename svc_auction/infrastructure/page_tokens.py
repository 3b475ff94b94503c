"""Page tokens: opaque to clients, a position to us."""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from kernel.errors import PageTokenInvalid
from svc_auction.application.ports import ListPosition


def encode_position(position: ListPosition) -> str:
    """Return the token of the page after a position in a list of auctions."""
    return _encode([position.at.isoformat(), position.auction_id])


def decode_position(token: str) -> ListPosition | None:
    """Return a token's position, None for an empty one; ``PageTokenInvalid`` otherwise."""
    if not token:
        return None
    match _decode(token):
        case [str(at), str(auction_id)]:
            try:
                after = datetime.fromisoformat(at).astimezone(UTC)
                return ListPosition(after, str(UUID(auction_id)))
            except (ValueError, OverflowError):
                raise PageTokenInvalid from None
    raise PageTokenInvalid


def encode_sequence(sequence: int) -> str:
    """Return the token of the page of bids below a sequence."""
    return _encode([sequence])


def decode_sequence(token: str) -> int | None:
    """Return a token's sequence, None for an empty one; ``PageTokenInvalid`` otherwise."""
    if not token:
        return None
    match _decode(token):
        case [int(sequence)] if sequence is not True and 0 < sequence < 1 << 63:
            return sequence
    raise PageTokenInvalid


def _encode(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _decode(token: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError):
        raise PageTokenInvalid from None
