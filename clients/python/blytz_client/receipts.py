"""Receipts of bids, checked without any service: the signature, and the hash of the bid's record.

    keys = read_keys(body_of("https://blytz.live/.well-known/receipt-keys.json"))
    receipt = check_receipt(text, keys)
    print(receipt.maximum_minor, receipt.placed_at)

The bid log is a chain: a record is hashed as SHA-256 over the hash before it (32 bytes, zeros for
the first) and, all big-endian, the auction id (16), the sequence (8), the bid id (16), the bidder
id (16), the maximum and the price after it in minor units (8 each), the time in microseconds
since 1970 (8), and the record's salt. This module tells it anew: it shares no code with the service
that writes the log.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt.algorithms import ECAlgorithm

ALGORITHM: Final = "ES256"
RECEIPT_TYPE: Final = "bid-receipt+jwt"
HASH_BYTES: Final = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64_MAX = (1 << 63) - 1
_FOREIGN_KEY_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})

Keys = Mapping[str, EllipticCurvePublicKey]
"""Public keys of receipts by key id."""


class ReceiptInvalid(Exception):
    """A receipt proves nothing; the message says why, as a sentence."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a checked receipt says: who bid how much on what, and when; amounts in minor units.

    ``price_minor``, ``previous_hash`` and ``salt`` are None on a receipt of a sealed auction that
    was still running: its record hash is signed, and can be recomputed from one issued after the
    end.
    """

    auction_id: str
    bid_id: str
    bidder_id: str
    sequence: int
    currency_code: str
    maximum_minor: int
    price_minor: int | None
    placed_at: datetime
    previous_hash: bytes | None
    salt: bytes | None
    record_hash: bytes
    issued_at: datetime
    key_id: str

    @property
    def whole(self) -> bool:
        """Whether the record's hash was recomputed from what the receipt says."""
        return self.previous_hash is not None


def read_keys(document: bytes | str) -> Keys:
    """Return the keys of a JSON Web Key Set (RFC 7517); ``ReceiptInvalid`` if it is none."""
    try:
        keys = {str(entry["kid"]): _public_key(entry) for entry in json.loads(document)["keys"]}
    except (KeyError, TypeError, ValueError, RecursionError, jwt.PyJWTError) as error:
        raise ReceiptInvalid("The keys are not a JSON Web Key Set of P-256 keys.") from error
    if not keys:
        raise ReceiptInvalid("The key set is empty.")
    return keys


def check_receipt(text: str, keys: Keys) -> Receipt:
    """Return what a receipt says; ``ReceiptInvalid`` unless its signature and its hash are right.

    ``keys`` must come from the market itself: a receipt cannot vouch for its own key.
    """
    key_id = _key_id_of(text)
    key = keys.get(key_id)
    if key is None:
        raise ReceiptInvalid("The receipt is signed with a key that is not among the keys.")
    try:
        claims: Any = json.loads(
            jwt.PyJWS().decode(text, key, algorithms=[ALGORITHM]),
            parse_constant=_refuse_constant,
        )
    except jwt.InvalidSignatureError:
        raise ReceiptInvalid(
            "The signature does not fit: the receipt is forged or was altered."
        ) from None
    except (ValueError, RecursionError, jwt.PyJWTError):
        raise ReceiptInvalid("This is not a receipt.") from None
    receipt = _receipt_of(claims, key_id)
    if receipt.whole and _record_hash(receipt) != receipt.record_hash:
        raise ReceiptInvalid("The hash of the record does not follow from what the receipt says.")
    return receipt


def _public_key(entry: Mapping[str, str]) -> EllipticCurvePublicKey:
    if (entry["kty"], entry["crv"]) != ("EC", "P-256"):
        raise ValueError("another kind of key")
    key = ECAlgorithm.from_jwk({name: entry[name] for name in ("kty", "crv", "x", "y")})
    if not isinstance(key, EllipticCurvePublicKey):
        raise TypeError("a private key")
    return key


def _key_id_of(text: str) -> str:
    try:
        header = jwt.get_unverified_header(text)
    except (ValueError, RecursionError, jwt.PyJWTError):
        raise ReceiptInvalid("This is not a receipt.") from None
    if header.get("typ") != RECEIPT_TYPE:
        raise ReceiptInvalid("This is signed, but it is not a receipt of a bid.")
    if header.get("alg") != ALGORITHM or not _FOREIGN_KEY_HEADERS.isdisjoint(header):
        raise ReceiptInvalid("The receipt is not signed the way that receipts are (ES256).")
    return str(header.get("kid"))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _receipt_of(claims: Any, key_id: str) -> Receipt:
    try:
        partial = not {"price_minor", "previous_hash", "salt"} & set(claims)
        return Receipt(
            auction_id=_id(claims["auction_id"]),
            bid_id=_id(claims["bid_id"]),
            bidder_id=_id(claims["bidder_id"]),
            sequence=_number(claims["sequence"]),
            currency_code=_text(claims["currency_code"]),
            maximum_minor=_number(claims["maximum_minor"]),
            price_minor=None if partial else _number(claims["price_minor"]),
            placed_at=_EPOCH + timedelta(microseconds=_number(claims["placed_at"])),
            previous_hash=None if partial else _hash(claims["previous_hash"], may_be_empty=True),
            salt=None if partial else bytes.fromhex(_text(claims["salt"])),
            record_hash=_hash(claims["record_hash"]),
            issued_at=_EPOCH + timedelta(seconds=_number(claims["iat"])),
            key_id=key_id,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ReceiptInvalid("The receipt is signed, but it does not say what it must.") from error


def _id(value: object) -> str:
    if str(UUID(_text(value))) != value:
        raise ValueError("an id is not canonical")
    return str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _INT64_MAX:
        raise ValueError("not a number")
    return value


def _hash(value: object, *, may_be_empty: bool = False) -> bytes:
    digest = bytes.fromhex(_text(value))
    if len(digest) != HASH_BYTES and not (may_be_empty and not digest):
        raise ValueError("not a hash")
    return digest


def _record_hash(receipt: Receipt) -> bytes:
    """Return the hash of the bid's record, from what the receipt says of it."""
    microseconds = (receipt.placed_at - _EPOCH) // timedelta(microseconds=1)
    numbers = (receipt.maximum_minor, receipt.price_minor or 0, microseconds)
    return hashlib.sha256(
        (receipt.previous_hash or bytes(HASH_BYTES))
        + UUID(receipt.auction_id).bytes
        + receipt.sequence.to_bytes(8, "big")
        + UUID(receipt.bid_id).bytes
        + UUID(receipt.bidder_id).bytes
        + b"".join(number.to_bytes(8, "big") for number in numbers)
        + (receipt.salt or b"")
    ).digest()
