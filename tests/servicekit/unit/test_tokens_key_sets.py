import json

import pytest

from fakes.token_mint import TokenMint
from servicekit.tokens import parse_jwks


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": []}',
        b'{"keys": 7}',
        b'{"keys": [7]}',
        b'{"keys": [{"kty": "RSA", "kid": "r"}]}',
        b'{"keys": [{"kty": "EC", "crv": "P-256", "kid": "e", "x": "AA", "y": "AA"}]}',
        b'{"keys": [{"kty": "EC", "crv": "P-256", "kid": "e"}]}',
    ],
)
def test_a_document_without_usable_keys_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"[Kk]ey|Expecting"):
        parse_jwks(document)


def test_keys_for_other_uses_are_passed_over() -> None:
    document = json.loads(TokenMint("a", "b", "c").jwks())
    document["keys"][0]["use"] = "enc"
    document["keys"][1]["alg"] = "ES384"
    assert list(parse_jwks(json.dumps(document).encode())) == ["c"]
