from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from servicekit.tls import MeshIdentity, caller_from_forwarded_certificate, caller_from_tls

TLS = caller_from_tls("blytz.live")
FORWARDED = caller_from_forwarded_certificate("blytz.live")


def peer(*identities: bytes) -> SimpleNamespace:
    return SimpleNamespace(peer_identities=lambda: list(identities) or None)


def forwarded(header: str) -> Mapping[str, str]:
    return {"x-forwarded-client-cert": header}


@pytest.mark.parametrize(
    ("identities", "name"),
    [
        ([b"spiffe://blytz.live/edge"], "edge"),
        ([b"spiffe://blytz.live/ns/blytz/sa/auction"], "auction"),
        ([b"localhost", b"spiffe://blytz.live/payment"], "payment"),
        ([b"spiffe://blytz.live.evil/edge"], ""),
        ([b"spiffe://evil/edge"], ""),
        ([b"edge"], ""),
        ([b"https://blytz.live/edge"], ""),
        ([], ""),
    ],
)
def test_a_certificate_names_the_caller(identities: list[bytes], name: str) -> None:
    assert TLS(peer(*identities), {}) == name


def test_headers_do_not_name_the_caller_of_a_connection() -> None:
    header = "URI=spiffe://blytz.live/edge"
    assert TLS(peer(b"spiffe://blytz.live/payment"), forwarded(header)) == "payment"
    assert TLS(peer(), forwarded(header)) == ""


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (
            'By=spiffe://blytz.live/sa/auction;Hash=ab;Subject="";URI=spiffe://blytz.live/sa/edge',
            "edge",
        ),
        ('Hash=ab;Subject="CN=x,O=y";URI="spiffe://blytz.live/payment"', "payment"),
        ("URI=spiffe://blytz.live/edge,By=x;URI=spiffe://blytz.live/payment", "payment"),
        ("URI=spiffe://blytz.live/edge,Hash=ab", ""),
        ("By=spiffe://blytz.live/edge;Hash=ab", ""),
        ("URI=spiffe://evil/edge", ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_the_sidecars_own_element_names_the_caller(header: str, name: str) -> None:
    assert FORWARDED(peer(b"spiffe://blytz.live/operator"), forwarded(header)) == name


def test_without_the_header_there_is_no_caller() -> None:
    assert FORWARDED(peer(b"spiffe://blytz.live/edge"), {}) == ""


def test_a_missing_file_is_an_error_at_start(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_bytes(b"c")
    (tmp_path / "key.pem").write_bytes(b"k")
    with pytest.raises(FileNotFoundError, match=r"ca\.pem"):
        MeshIdentity.load(tmp_path)
    (tmp_path / "ca.pem").write_bytes(b"a")
    assert MeshIdentity.load(tmp_path) == MeshIdentity(b"c", b"k", b"a")
