"""Security statement 4: keys rotate with an overlap, and a removed key is gone."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

from svc_identity.infrastructure import signing_keys
from svc_identity.infrastructure.signing_keys import (
    PUBLISHED_S_MIN,
    RETIRED_S_MIN,
    SigningKeys,
    SigningKeysUnusable,
    ensure_key,
    read_keys,
    rotate_keys,
)

NOW_S = 1_900_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


async def published(keys: SigningKeys) -> list[str]:
    return [entry["kid"] for entry in json.loads(await keys.jwks())["keys"]]


def test_the_first_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    ensure_key(folder, now_s=NOW_S)
    (path,) = folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    ensure_key(folder, now_s=NOW_S + 1)
    assert list(folder.iterdir()) == [path]


def test_replicas_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ensure_key(tmp_path, now_s=NOW_S), range(16)))
    assert len(read_keys(tmp_path)) == 1


def test_without_a_key_the_error_says_where(tmp_path: Path) -> None:
    with pytest.raises(SigningKeysUnusable, match=str(tmp_path)):
        SigningKeys(tmp_path / "missing")


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.pem").write_bytes(content)
    with pytest.raises(SigningKeysUnusable, match=r"broken\.pem"):
        SigningKeys(tmp_path)


def test_a_key_on_another_curve_is_named(tmp_path: Path) -> None:
    key = generate_private_key(SECP384R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "other.pem").write_bytes(pem)
    with pytest.raises(SigningKeysUnusable, match="P-256"):
        SigningKeys(tmp_path)


async def test_a_new_key_is_published_before_it_signs(tmp_path: Path) -> None:
    clock = Clock()
    ensure_key(tmp_path, now_s=clock.now_s)
    keys = SigningKeys(tmp_path, clock=clock)
    first = keys.current.key_id
    clock.now_s += 3600
    second = rotate_keys(tmp_path, now_s=clock.now_s).key_id
    keys.reload()
    assert await published(keys) == [first, second]
    assert keys.current.key_id == first
    clock.now_s += PUBLISHED_S_MIN
    assert keys.current.key_id == second
    assert await published(keys) == [first, second]


async def test_a_retired_key_goes_at_a_later_rotation(tmp_path: Path) -> None:
    first = rotate_keys(tmp_path, now_s=NOW_S).key_id
    second = rotate_keys(tmp_path, now_s=NOW_S + 3600).key_id
    third = rotate_keys(tmp_path, now_s=NOW_S + 7200).key_id
    assert [key.key_id for key in read_keys(tmp_path)] == [first, second, third]
    much_later_s = NOW_S + 7201 + PUBLISHED_S_MIN + RETIRED_S_MIN
    fourth = rotate_keys(tmp_path, now_s=much_later_s).key_id
    assert [key.key_id for key in read_keys(tmp_path)] == [third, fourth]


async def test_a_removed_file_withdraws_its_key(tmp_path: Path) -> None:
    rotate_keys(tmp_path, now_s=NOW_S)
    second = rotate_keys(tmp_path, now_s=NOW_S + 1)
    keys = SigningKeys(tmp_path)
    read_keys(tmp_path)[0].path.unlink()
    keys.reload()
    assert await published(keys) == [second.key_id]


async def test_a_folder_that_breaks_later_leaves_the_keys(tmp_path: Path) -> None:
    key = rotate_keys(tmp_path, now_s=NOW_S)
    keys = SigningKeys(tmp_path)
    (tmp_path / "broken.pem").write_bytes(b"nonsense")
    keys.reload()
    (tmp_path / "broken.pem").unlink()
    key.path.unlink()
    keys.reload()
    assert await published(keys) == [key.key_id]


def test_a_file_of_any_name_counts_from_its_last_change(tmp_path: Path) -> None:
    rotate_keys(tmp_path, now_s=NOW_S).path.rename(tmp_path / "tls.pem")
    os.utime(tmp_path / "tls.pem", (5.0, 5.0))
    assert read_keys(tmp_path)[0].created_at_s == 5.0


async def test_only_public_members_are_published(tmp_path: Path) -> None:
    rotate_keys(tmp_path, now_s=NOW_S)
    (entry,) = json.loads(await SigningKeys(tmp_path).jwks())["keys"]
    assert set(entry) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_the_thumbprint_is_that_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    # The public key of RFC 7515, appendix A.3; "use" is no required member, so it does not count.
    key = generate_private_key(SECP384R1())
    members = {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }
    monkeypatch.setattr(ECAlgorithm, "to_jwk", lambda *_, **__: members | {"use": "sig"})
    assert signing_keys.thumbprint(key) == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"


def test_the_file_is_a_plain_pem(tmp_path: Path) -> None:
    path = rotate_keys(tmp_path, now_s=NOW_S).path
    key = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    assert key.key_size == 256
