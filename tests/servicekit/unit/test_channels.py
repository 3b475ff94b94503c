from blytz.auction.v1 import auction_service_pb2
from servicekit.channels import service_config
from servicekit.contract import methods_of

SERVICE = auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"]


def test_only_what_may_be_repeated_is_retried_and_within_a_budget() -> None:
    config = service_config(list(methods_of(SERVICE)))
    retried = {
        entry["name"][0]["method"] for entry in config["methodConfig"] if "retryPolicy" in entry
    }
    assert {method.name for method in methods_of(SERVICE)} - retried == {
        "UpdateAuction", "ScheduleAuction", "StartAuction", "CloseAuction", "CancelAuction",
        "PlaceBids",
    }  # fmt: skip
    assert all(entry["name"][0]["service"] == SERVICE.full_name for entry in config["methodConfig"])
    policies = [e["retryPolicy"] for e in config["methodConfig"] if "retryPolicy" in e]
    assert all(policy["retryableStatusCodes"] == ["UNAVAILABLE"] for policy in policies)
    assert config["retryThrottling"]["tokenRatio"] > 0


def test_calls_go_to_the_replicas_that_say_they_serve() -> None:
    config = service_config(list(methods_of(SERVICE)))
    assert config["loadBalancingConfig"] == [{"round_robin": {}}]
    assert config["healthCheckConfig"] == {"serviceName": ""}
