from blytz.auction.v1 import auction_service_pb2
from servicekit.channels import service_config
from servicekit.contract import methods_of

SERVICE = auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"]


def test_only_what_may_be_repeated_is_retried_and_within_a_budget() -> None:
    config = service_config(list(methods_of(SERVICE)))
    retried = {
        entry["name"][0]["method"] for entry in config["methodConfig"] if "retryPolicy" in entry
    }
    assert retried == {
        "CreateAuction", "GetAuction", "ListAuctions", "ListBids", "PlaceBid",
    }  # fmt: skip
    assert all(entry["name"][0]["service"] == SERVICE.full_name for entry in config["methodConfig"])
    policies = [e["retryPolicy"] for e in config["methodConfig"] if "retryPolicy" in e]
    assert all(policy["retryableStatusCodes"] == ["UNAVAILABLE"] for policy in policies)
    assert config["retryThrottling"]["tokenRatio"] > 0
