from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pool import Default
from grpc_health.v1 import health_pb2

from blytz.auction.v1 import auction_service_pb2, show_service_pb2
from blytz.identity.v1 import auth_service_pb2, user_service_pb2
from blytz.options.v1.policy_pb2 import Access, Idempotency
from blytz.payment.v1 import payment_service_pb2, wallet_service_pb2
from blytz.realtime.v1 import realtime_service_pb2
from servicekit.contract import ContractError, MethodContract, methods_of

FILES = (
    auction_service_pb2,
    show_service_pb2,
    auth_service_pb2,
    user_service_pb2,
    payment_service_pb2,
    wallet_service_pb2,
    realtime_service_pb2,
)


def services() -> Iterator[ServiceDescriptor]:
    for file in FILES:
        yield from file.DESCRIPTOR.services_by_name.values()


EVERY = [method for service in services() for method in methods_of(service)]


def method_of(path: str) -> MethodContract:
    (found,) = [method for method in EVERY if method.path == path]
    return found


def test_the_contract_of_a_bid() -> None:
    method = method_of("/blytz.auction.v1.AuctionService/PlaceBid")
    assert (method.name, method.callers) == ("PlaceBid", frozenset({"edge"}))
    assert (method.access, method.timeout_s) == (Access.ACCESS_USER, 2.0)
    assert method.idempotency == Idempotency.IDEMPOTENCY_BY_REQUEST_ID
    assert (method.rate_per_second, method.rate_burst) == (20, 40)
    assert method.route_by == "auction_id"
    assert method.request_class is auction_service_pb2.PlaceBidRequest
    assert method.response_class is auction_service_pb2.PlaceBidResponse
    assert not method.client_streaming
    assert not method.server_streaming


def test_the_contract_of_a_stream() -> None:
    method = method_of("/blytz.auction.v1.AuctionService/PlaceBids")
    assert (method.client_streaming, method.server_streaming) == (True, True)
    assert method.timeout_s is None


def test_only_public_reads_may_be_kept_by_caches() -> None:
    kept = {method.path: method for method in EVERY if method.cache_max_age_s}
    assert method_of("/blytz.auction.v1.AuctionService/GetAuction").cache_max_age_s == 1
    assert "/blytz.auction.v1.AuctionService/PlaceBid" not in kept
    for method in kept.values():
        assert method.access == Access.ACCESS_PUBLIC
        assert method.idempotency == Idempotency.IDEMPOTENCY_YES


def test_only_what_may_be_repeated_is_retried() -> None:
    assert method_of("/blytz.auction.v1.AuctionService/PlaceBid").retryable
    assert method_of("/blytz.auction.v1.AuctionService/GetAuction").retryable
    assert not method_of("/blytz.auction.v1.AuctionService/StartAuction").retryable


@pytest.mark.parametrize("method", EVERY, ids=lambda method: method.path)
def test_every_contract_is_complete(method: MethodContract) -> None:
    assert method.callers
    assert "unspecified" not in method.callers
    assert method.access != Access.ACCESS_UNSPECIFIED
    assert method.idempotency != Idempotency.IDEMPOTENCY_UNSPECIFIED
    assert (method.timeout_s is None) == (method.server_streaming or method.client_streaming)
    assert (method.rate_per_second == 0) == (method.rate_burst == 0)
    fields = method.request_class.DESCRIPTOR.fields_by_name
    assert not method.route_by or method.route_by in fields
    repeatable = method.idempotency == Idempotency.IDEMPOTENCY_BY_REQUEST_ID
    if not method.client_streaming:
        assert ("request_id" in fields) == repeatable
    assert (method.access == Access.ACCESS_SERVICE) <= ("edge" not in method.callers)


def test_a_service_without_policies_is_not_served() -> None:
    service: Any = health_pb2.DESCRIPTOR.services_by_name["Health"]
    with pytest.raises(ContractError, match=r"grpc\.health\.v1\.Health\.Check"):
        list(methods_of(service))


def test_every_service_of_ours_is_looked_at() -> None:
    looked_at = {service.full_name for service in services()}
    assert len(looked_at) == 7
    assert all(Default().FindServiceByName(name).full_name == name for name in looked_at)
