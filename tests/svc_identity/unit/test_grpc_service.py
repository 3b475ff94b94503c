import pytest

from svc_identity.infrastructure.grpc_service import client_address


@pytest.mark.parametrize(
    ("forwarded_for", "trusted_proxy_count", "address"),
    [
        ("", 1, ""),
        ("203.0.113.9", 1, "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 198.51.100.1 , 203.0.113.9", 2, "198.51.100.1"),
        ("203.0.113.9", 2, ""),
        ("203.0.113.9", 0, ""),
    ],
)
def test_only_what_our_own_proxies_wrote_counts(
    forwarded_for: str, trusted_proxy_count: int, address: str
) -> None:
    assert client_address({"x-forwarded-for": forwarded_for}, trusted_proxy_count) == address
    assert client_address({}, trusted_proxy_count) == ""
