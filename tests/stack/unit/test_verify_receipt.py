"""`blytz verify-receipt`: exit code 0 and what was bid, or 1 and why it proves nothing."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from stack.cli import main

KEY = ec.generate_private_key(ec.SECP256R1())
CLAIMS = {
    "auction_id": "0190a1b2-0000-7000-8000-00000000000a",
    "bid_id": "0190a1b2-0000-7000-8000-0000000000b1",
    "bidder_id": "0190a1b2-0000-7000-8000-0000000000ad",
    "sequence": 3,
    "currency_code": "USD",
    "maximum_minor": 2000,
    "price_minor": 950,
    "placed_at": 1_793_534_400_250_000,
    "previous_hash": "",
    "salt": "00112233445566778899aabbccddeeff",
    "record_hash": "77a052ae6d9ebb7b8126e399ea2167644fec4c1247959cdbbf2977036b6e826e",
    "iat": 1_793_534_500,
}


def receipt(key: ec.EllipticCurvePrivateKey = KEY, **changes: object) -> str:
    headers = {"kid": "now", "typ": "bid-receipt+jwt"}
    return jwt.encode(CLAIMS | changes, key, algorithm="ES256", headers=headers)


SEALED = jwt.encode(
    {k: v for k, v in CLAIMS.items() if k not in {"price_minor", "previous_hash", "salt"}},
    KEY,
    algorithm="ES256",
    headers={"kid": "now", "typ": "bid-receipt+jwt"},
)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    entry = ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "now"}
    path.write_text(json.dumps({"keys": [entry]}))
    return path


@pytest.fixture
def gateway(keys: Path) -> Iterator[str]:
    """The address of a gateway that publishes the keys, and nothing else."""

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/.well-known/receipt-keys.json" else 404)
            self.end_headers()
            self.wfile.write(keys.read_bytes())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_without_a_file_the_gateway_is_asked_for_the_keys(
    gateway: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify-receipt", "--url", gateway, receipt()]) == 0
    assert "Valid." in capsys.readouterr().out


def test_a_receipt_is_told_in_words(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify-receipt", "--keys", str(keys), receipt()]) == 0
    said = capsys.readouterr().out
    for words in (
        "Valid.",
        "Up to 20.00 USD were bid",
        CLAIMS["auction_id"],
        CLAIMS["bidder_id"],
        "2026-11-01 at 12:00:00.250000 UTC",
        "The price was 9.50 USD",
    ):
        assert str(words) in said


def test_a_sealed_receipt_says_what_it_cannot_tell(
    keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify-receipt", "--keys", str(keys), SEALED]) == 0
    said = capsys.readouterr().out
    assert "The auction was sealed" in said
    assert "The price was" not in said


@pytest.mark.parametrize("as_answered", [False, True], ids=["alone", "as the API answered it"])
def test_a_receipt_in_a_file(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, as_answered: bool
) -> None:
    path = tmp_path / "receipt"
    path.write_text(json.dumps({"receipt": receipt()}) if as_answered else receipt() + "\n")
    assert main(["verify-receipt", "--json", "--keys", str(keys), str(path)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["valid"], said["whole"], said["maximum_minor"]) == (True, True, 2000)
    assert said["placed_at"] == "2026-11-01T12:00:00.250000+00:00"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (receipt(ec.generate_private_key(ec.SECP256R1())), "forged or was altered"),
        (receipt(maximum_minor=1), "does not follow"),
        ("garbage", "not a receipt"),
    ],
)
def test_a_forged_receipt_is_exit_code_1(
    keys: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    assert main(["verify-receipt", "--keys", str(keys), text]) == 1
    said = capsys.readouterr().out
    assert "Not valid." in said
    assert problem in said
    assert main(["verify-receipt", "--json", "--keys", str(keys), text]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["valid"] is False
    assert problem in answer["problem"]


def test_keys_or_receipts_that_cannot_be_read_are_one_line(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify-receipt", "--keys", str(tmp_path / "none.json"), receipt()]) == 1
    assert "none.json cannot be read" in capsys.readouterr().err
    empty = tmp_path / "answer.json"
    empty.write_text("{}")
    assert main(["verify-receipt", "--keys", str(keys), str(empty)]) == 1
    assert capsys.readouterr().err == "blytz: The file holds no receipt.\n"
    closed = ["--url", "http://127.0.0.1:1"]
    assert main(["verify-receipt", *closed, receipt()]) == 1
    assert "name a file with --keys" in capsys.readouterr().err
