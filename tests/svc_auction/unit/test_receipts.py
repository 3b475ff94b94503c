"""Receipts: the keys that sign them, what they say, and what they keep to themselves."""

import hashlib
import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from jwt.algorithms import ECAlgorithm

from blytz_client.receipts import check_receipt, read_keys
from fakes.auction_books import ADA, AUCTION_ID, BOB, CYD, SELLER, terms_of
from fakes.bid_logs import PlayedAuction
from servicekit.settings import SettingsError
from svc_auction.application.issue_receipt import IssueReceipt
from svc_auction.application.ports import RecordedBid
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import State
from svc_auction.domain.errors import AuctionNotFound, BidNotFound
from svc_auction.domain.formats import SEALED_FIRST_PRICE
from svc_auction.domain.log_records import LoggedBid
from svc_auction.infrastructure.receipts import ReceiptKeys, ReceiptKeysUnusable
from svc_auction.settings import AuctionSettings

CLAIMS: dict[str, str | int] = {"auction_id": AUCTION_ID, "iat": 5}
NOW_S = 1_793_534_500.75


def pem(key: Any, encryption: KeySerializationEncryption | None = None) -> bytes:
    written: bytes = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()
    )
    return written


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_the_first_key_signs_and_all_are_published(tmp_path: Path) -> None:
    present, former = new_key(), new_key()
    path = tmp_path / "keys.pem"
    path.write_bytes(b"the present key\n" + pem(present) + b"\n" + pem(former))
    keys = ReceiptKeys.read(path)
    receipt = keys.sign(CLAIMS)
    assert jwt.get_unverified_header(receipt) == {
        "alg": "ES256",
        "kid": keys.public[0]["kid"],
        "typ": "bid-receipt+jwt",
    }
    assert jwt.decode(receipt, present.public_key(), algorithms=["ES256"]) == CLAIMS
    published = [ECAlgorithm.from_jwk(dict(key)) for key in keys.public]
    assert published == [present.public_key(), former.public_key()]
    assert {(key["kty"], key["crv"], key["alg"], key["use"]) for key in keys.public} == {
        ("EC", "P-256", "ES256", "sig")
    }


def test_a_key_id_is_the_thumbprint() -> None:
    (key,) = ReceiptKeys.derived_from("a secret").public
    text = f'{{"crv":"P-256","kty":"EC","x":"{key["x"]}","y":"{key["y"]}"}}'
    digest = hashlib.sha256(text.encode()).digest()
    assert key["kid"] == urlsafe_b64encode(digest).decode().rstrip("=")


def test_replicas_derive_the_same_key_and_other_secrets_another() -> None:
    one, same = ReceiptKeys.derived_from("a secret"), ReceiptKeys.derived_from("a secret")
    assert one.public == same.public != ReceiptKeys.derived_from("another").public
    public = ECAlgorithm.from_jwk(dict(same.public[0]))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert jwt.decode(one.sign(CLAIMS), public, algorithms=["ES256"]) == CLAIMS


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no private key"),
        (new_key().public_key().public_bytes, "no private key"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "P-256"),
        (pem(rsa.generate_private_key(65537, 2048)), "P-256"),
        (pem(new_key(), BestAvailableEncryption(b"secret")), "unencrypted"),
        (pem(new_key()) + pem(new_key()).replace(b"MIG", b"MIH"), "unencrypted"),
    ],
    ids=["empty", "public", "other curve", "rsa", "encrypted", "broken second"],
)
def test_a_file_that_is_no_use_is_one_clear_error(
    tmp_path: Path, content: Any, problem: str
) -> None:
    path = tmp_path / "keys.pem"
    path.write_bytes(content if isinstance(content, bytes) else b"-----BEGIN PUBLIC KEY-----")
    with pytest.raises(ReceiptKeysUnusable, match=problem):
        ReceiptKeys.read(path)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        ReceiptKeys.read(tmp_path / "keys.pem")


def test_production_needs_a_file_of_keys() -> None:
    def settings(**changes: Any) -> AuctionSettings:
        common: dict[str, Any] = {"grpc_address": "", "admin_address": "", "tls_dir": Path()}
        return AuctionSettings(**common | {"alias_key": "a secret"} | changes)

    with pytest.raises(SettingsError, match="BLYTZ_RECEIPT_KEYS_PATH"):
        settings(environment="production")
    assert settings(environment="production", receipt_keys_path="keys.pem").receipt_keys_path
    assert settings(environment="development").receipt_keys_path == ""


class OneAuction:
    """The auctions and the logs, as far as one played auction goes."""

    def __init__(self, played: PlayedAuction) -> None:
        self.played = played

    async def get(self, auction_id: str) -> Auction:
        assert auction_id == AUCTION_ID
        return self.played.auction

    async def find_bid(
        self, auction_id: str, bid_id: str, *, bidder_id: str | None
    ) -> RecordedBid | None:
        assert auction_id == AUCTION_ID
        previous_hash = b""
        for record in self.played.records():
            if isinstance(record, LoggedBid) and record.bid_id == bid_id:
                mine = bidder_id in {None, record.bidder_id}
                return RecordedBid(record, previous_hash) if mine else None
            previous_hash = record.record_hash
        return None


KEYS = ReceiptKeys.derived_from("a secret")
PUBLISHED = read_keys(json.dumps({"keys": KEYS.public}))


def issuer(played: PlayedAuction) -> IssueReceipt:
    one: Any = OneAuction(played)
    return IssueReceipt(auctions=one, logs=one, signer=KEYS, clock_s=lambda: NOW_S)


def english() -> PlayedAuction:
    played = PlayedAuction.of(terms_of())
    assert played.bid(ADA, 20_00)
    assert played.bid(BOB, 9_00)
    return played


async def test_a_receipt_is_for_the_bidder_and_for_moderators() -> None:
    played = english()
    issue, bid = issuer(played), played.standing[1]
    facts: dict[str, str] = {"auction_id": AUCTION_ID, "bid_id": bid.bid_id}
    for caller_id, by_moderator in ((BOB, False), (CYD, True)):
        text = await issue(**facts, caller_id=caller_id, by_moderator=by_moderator)
        receipt = check_receipt(text, PUBLISHED)
        assert receipt.whole
        assert (receipt.bid_id, receipt.bidder_id) == (bid.bid_id, BOB)
        assert (receipt.maximum_minor, receipt.price_minor) == (9_00, 9_50)
        assert (receipt.placed_at, receipt.sequence) == (bid.occurred_at, bid.sequence)
        assert receipt.previous_hash == played.standing[0].record_hash
        assert int(receipt.issued_at.timestamp()) == int(NOW_S)
    for other_id in (ADA, SELLER, CYD):
        with pytest.raises(BidNotFound):
            await issue(**facts, caller_id=other_id, by_moderator=False)
    with pytest.raises(BidNotFound):
        await issue(auction_id=AUCTION_ID, bid_id=CYD, caller_id=BOB, by_moderator=True)


async def test_the_first_bid_has_no_hash_before_it() -> None:
    played = english()
    text = await issuer(played)(
        auction_id=AUCTION_ID, bid_id=played.standing[0].bid_id, caller_id=ADA, by_moderator=False
    )
    assert check_receipt(text, PUBLISHED).previous_hash == b""


async def test_a_draft_of_somebody_elses_is_not_found() -> None:
    played = english()
    played.auction.book.ends_at = None
    with pytest.raises(AuctionNotFound):
        await issuer(played)(auction_id=AUCTION_ID, bid_id=CYD, caller_id=BOB, by_moderator=True)


async def test_a_sealed_bids_price_is_told_after_the_end_alone() -> None:
    played = PlayedAuction.of(terms_of(format=SEALED_FIRST_PRICE, opening_minor=1_00))
    assert played.bid(ADA, 20_00)
    assert played.bid(BOB, 9_00)
    facts: dict[str, Any] = {"auction_id": AUCTION_ID, "bid_id": played.standing[1].bid_id}
    sealed = await issuer(played)(**facts, caller_id=BOB, by_moderator=False)
    said = jwt.decode(sealed, options={"verify_signature": False})
    assert not {"price_minor", "previous_hash"} & said.keys()
    assert 20_00 not in said.values()
    receipt = check_receipt(sealed, PUBLISHED)
    assert (receipt.whole, receipt.maximum_minor) == (False, 9_00)
    played.auction.book.state = State.ENDED
    whole = check_receipt(
        await issuer(played)(**facts, caller_id=BOB, by_moderator=False), PUBLISHED
    )
    assert (whole.whole, whole.price_minor) == (True, 20_00)
    assert whole.record_hash == receipt.record_hash
