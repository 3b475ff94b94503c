import ssl
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from stack import certificates
from stack.certificates import WORKLOADS, ensure_certificates


def _certificate(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    ensure_certificates(folder)
    return folder


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_is_named_by_its_spiffe_id(tls: Path, name: str) -> None:
    extension = _certificate(tls / name).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    names = extension.value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        f"spiffe://blytz.live/{name}"
    ]
    assert f"{name}.blytz.internal" in names.get_values_for_type(x509.DNSName)
    assert "localhost" in names.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("name", WORKLOADS)
def test_keys_are_p256_and_private(tls: Path, name: str) -> None:
    key = _certificate(tls / name).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert stat.S_IMODE((tls / name / "key.pem").stat().st_mode) == 0o600


def test_two_workloads_shake_hands_and_a_stranger_does_not(tls: Path, tmp_path: Path) -> None:
    ensure_certificates(tmp_path)
    assert _handshake(tls / "auction", tls / "edge", "auction.blytz.internal")
    with pytest.raises(ssl.SSLError):
        _handshake(tls / "auction", tmp_path / "edge", "auction.blytz.internal")
    with pytest.raises(ssl.SSLError):
        _handshake(tls / "auction", tls / "edge", "payment.blytz.internal")


def test_a_valid_certificate_is_kept_and_one_near_its_end_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_certificates(tmp_path, ("auction", "edge"))
    first = _certificate(tmp_path / "auction")
    ensure_certificates(tmp_path, ("auction", "edge"))
    assert _certificate(tmp_path / "auction") == first
    monkeypatch.setattr(certificates, "_RENEW_BEFORE_END", timedelta(days=91))
    ensure_certificates(tmp_path, ("auction",))
    assert _certificate(tmp_path / "auction") != first


def test_a_broken_or_missing_file_is_reissued(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, ("auction", "edge"))
    (tmp_path / "auction" / "cert.pem").write_text("nonsense")
    (tmp_path / "edge" / "key.pem").unlink()
    ensure_certificates(tmp_path, ("auction", "edge"))
    assert _handshake(tmp_path / "auction", tmp_path / "edge", "auction.blytz.internal")


def _handshake(server: Path, client: Path, server_name: str) -> bool:
    """Shake hands in memory, both sides showing certificates."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for context, folder in ((server_context, server), (client_context, client)):
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client_context.wrap_bio(to_client, to_server, server_hostname=server_name),
        server_context.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(10):
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                continue
    return not sides
