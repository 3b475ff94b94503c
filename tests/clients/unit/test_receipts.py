"""A receipt is checked by what is published alone, and nothing that was touched passes."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm

from blytz_client.receipts import Keys, ReceiptInvalid, check_receipt, read_keys

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
HEADERS = {"kid": "now", "typ": "bid-receipt+jwt"}
# The record of the documented example, hashed by hand: 32 zeros, then the fields in their order.
CLAIMS: dict[str, Any] = {
    "auction_id": "0190a1b2-0000-7000-8000-00000000000a",
    "bid_id": "0190a1b2-0000-7000-8000-0000000000b1",
    "bidder_id": "0190a1b2-0000-7000-8000-0000000000ad",
    "sequence": 3,
    "currency_code": "USD",
    "maximum_minor": 2000,
    "price_minor": 950,
    "placed_at": 1_793_534_400_000_000,
    "previous_hash": "",
    "salt": "00" * 16,
    "record_hash": "f2b120b353f17d9d2954c6dbe00596269b4f7b63a4e80ed41a2e6bc13366ff30",
    "iat": 1_793_534_500,
}


def published(**keys: ec.EllipticCurvePrivateKey) -> str:
    entries = [
        ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "alg": "ES256"}
        for kid, key in keys.items()
    ]
    return json.dumps({"keys": entries})


KEYS: Keys = read_keys(published(now=KEY, before=OTHER))


def signed(
    claims: dict[str, Any], key: Any = KEY, *, algorithm: str = "ES256", **headers: Any
) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=HEADERS | headers)


def parts(receipt: str) -> list[bytes]:
    return [urlsafe_b64decode(part + "==") for part in receipt.split(".")]


def joined(header: bytes, payload: bytes, signature: bytes) -> str:
    encoded = [urlsafe_b64encode(part).rstrip(b"=") for part in (header, payload, signature)]
    return b".".join(encoded).decode()


def test_a_receipt_says_what_was_bid_and_when() -> None:
    receipt = check_receipt(signed(CLAIMS), KEYS)
    assert receipt.placed_at == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert receipt.issued_at == datetime(2026, 11, 1, 12, 1, 40, tzinfo=UTC)
    assert (receipt.maximum_minor, receipt.price_minor, receipt.sequence) == (2000, 950, 3)
    assert (receipt.previous_hash, receipt.whole, receipt.key_id) == (b"", True, "now")


def test_a_receipt_of_an_earlier_key_stays_good() -> None:
    assert check_receipt(signed(CLAIMS, OTHER, kid="before"), KEYS).key_id == "before"


def test_a_receipt_of_a_running_sealed_auction_is_partial() -> None:
    claims = {k: v for k, v in CLAIMS.items() if k not in {"price_minor", "previous_hash", "salt"}}
    receipt = check_receipt(signed(claims), KEYS)
    assert (receipt.whole, receipt.price_minor, receipt.previous_hash) == (False, None, None)


def tampered(text: str) -> str:
    header, payload, signature = parts(text)
    return joined(header, payload.replace(b":2000", b":2001"), signature)


def unsigned(text: str) -> str:
    _, payload, _ = parts(text)
    return joined(b'{"alg":"none","typ":"bid-receipt+jwt","kid":"now"}', payload, b"")


def signed_with_the_public_key(text: str) -> str:
    _, payload, _ = parts(text)
    secret = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return signed(json.loads(payload), secret, algorithm="HS256")


@pytest.mark.parametrize(
    ("forge", "problem"),
    [
        (tampered, "forged or was altered"),
        (lambda text: text[:-8] + "AAAAAAAA", "forged or was altered"),
        (lambda _: signed(CLAIMS, OTHER), "forged or was altered"),
        (lambda _: signed(CLAIMS, kid="elsewhere"), "not among the keys"),
        (unsigned, "ES256"),
        (signed_with_the_public_key, "ES256"),
        (lambda _: signed(CLAIMS, jwk=published(now=OTHER)), "ES256"),
        (lambda _: signed(CLAIMS, crit=["b64"]), "not a receipt"),
        (lambda _: signed(CLAIMS, typ="at+jwt"), "not a receipt of a bid"),
        (lambda text: text.rpartition(".")[0], "not a receipt"),
        (lambda text: text.partition(".")[2], "not a receipt"),
        (lambda _: "", "not a receipt"),
        (lambda _: "a.b.c", "not a receipt"),
        (lambda _: "é" * 400, "not a receipt"),
        (lambda _: "[" * 100_000, "not a receipt"),
    ],
)
def test_a_forged_receipt_is_refused(forge: Callable[[str], str], problem: str) -> None:
    with pytest.raises(ReceiptInvalid, match=problem):
        check_receipt(forge(signed(CLAIMS)), KEYS)


@pytest.mark.parametrize(
    "change",
    [
        {"maximum_minor": 2001},
        {"price_minor": 951},
        {"sequence": 4},
        {"placed_at": 1_793_534_400_000_001},
        {"bidder_id": "0190a1b2-0000-7000-8000-0000000000b0"},
        {"auction_id": "0190a1b2-0000-7000-8000-00000000000b"},
        {"bid_id": "0190a1b2-0000-7000-8000-0000000000b2"},
        {"previous_hash": "01" * 32},
        {"record_hash": "01" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_signed_receipt_whose_hash_does_not_follow_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ReceiptInvalid, match="does not follow"):
        check_receipt(signed(CLAIMS | change), KEYS)


@pytest.mark.parametrize(
    "change",
    [
        {"maximum_minor": "2000"},
        {"maximum_minor": True},
        {"maximum_minor": 20.5},
        {"maximum_minor": -1},
        {"sequence": 1 << 63},
        {"placed_at": (1 << 63) - 1},
        {"bid_id": "not an id"},
        {"bid_id": CLAIMS["bid_id"].upper().replace("-", "")},
        {"currency_code": None},
        {"record_hash": ""},
        {"record_hash": "xyz"},
        {"previous_hash": "01"},
    ],
)
def test_a_signed_receipt_that_says_something_else_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ReceiptInvalid, match="does not say what it must"):
        check_receipt(signed(CLAIMS | change), KEYS)


@pytest.mark.parametrize("name", CLAIMS)
def test_a_signed_receipt_that_says_too_little_is_refused(name: str) -> None:
    with pytest.raises(ReceiptInvalid, match="does not say what it must"):
        check_receipt(signed({k: v for k, v in CLAIMS.items() if k != name}), KEYS)


@pytest.mark.parametrize("payload", [b"[]", b'"text"', b"null", b"7"])
def test_a_signed_text_that_is_no_receipt_is_refused(payload: bytes) -> None:
    text = jwt.PyJWS().encode(payload, KEY, algorithm="ES256", headers=HEADERS)
    with pytest.raises(ReceiptInvalid, match="does not say what it must"):
        check_receipt(text, KEYS)


@given(st.text(max_size=200) | st.from_regex(r"[\w-]{1,40}\.[\w-]{1,40}\.[\w-]{1,40}"))
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(ReceiptInvalid):
        check_receipt(text, KEYS)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("", "not a JSON Web Key Set"),
        ("[]", "not a JSON Web Key Set"),
        ('{"keys": 5}', "not a JSON Web Key Set"),
        ('{"keys": []}', "empty"),
        ('{"keys": [{"kid": "a", "kty": "oct", "k": "AA"}]}', "not a JSON Web Key Set"),
        ('{"keys": [{"kid": "a", "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}', "not a"),
        ("[" * 100_000, "not a JSON Web Key Set"),
    ],
)
def test_keys_that_are_none_are_refused(document: str, problem: str) -> None:
    with pytest.raises(ReceiptInvalid, match=problem):
        read_keys(document)
