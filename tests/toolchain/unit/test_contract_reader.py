"""The contract is read as it is written, comments and rules included."""

from pathlib import Path

from fakes.small_contract import FIELDS, GOOD_POLICY, shop
from toolchain.contract import Field, HttpBinding, Policy, Rate

RATED = (
    GOOD_POLICY
    + 'rate {per_second: 2 burst: 3} route_by: "thing_id" callers: CALLER_MESH cache_max_age_s: 7'
)


def test_an_rpc_is_read_with_its_policy_and_bindings(tmp_path: Path) -> None:
    rule = 'post: "/v1/things/{thing_id}:buy" body: "*" additional_bindings {get: "/v1/buy"}'
    contract = shop(tmp_path, policy=RATED, http=rule, gives="stream ")
    (rpc,) = contract.rpcs
    assert rpc.path == "/blytz.shop.v1.ShopService/Buy"
    assert (rpc.area, rpc.client_streaming, rpc.server_streaming) == ("shop", False, True)
    assert rpc.comment == "Buy buys a thing.\n\nErrors: `NOT_FOUND / THING_NOT_FOUND`."
    assert rpc.http == (
        HttpBinding(method="POST", path="/v1/things/{thing_id}:buy", body="*"),
        HttpBinding(method="GET", path="/v1/buy", body=""),
    )
    assert rpc.policy == Policy(
        callers=("EDGE", "MESH"),
        access="USER",
        timeout_ms=2000,
        idempotency="NO",
        rate=Rate(per_second=2, burst=3),
        route_by="thing_id",
        cache_max_age_s=7,
    )
    assert contract.areas == ("shop",)


def test_messages_are_read_with_rules_and_comments(tmp_path: Path) -> None:
    more = "// Kind is a kind.\nenum Kind {\n // None.\n KIND_UNSPECIFIED = 0; }"
    fields = FIELDS + "repeated Kind kinds = 3; oneof how { string card = 4; }"
    contract = shop(tmp_path, fields=fields, more=more)
    message = contract.messages["blytz.shop.v1.BuyRequest"]
    assert message.comment == "BuyRequest names a thing."
    assert message.field("count") == Field(
        name="count",
        type_name="uint32",
        repeated=False,
        oneof="",
        comment="How many.",
        rules=("uint32.lte = 9", "uint32.gte = 1"),
    )
    kinds, card = message.field("kinds"), message.field("card")
    assert kinds is not None
    assert (kinds.type_name, kinds.repeated) == ("blytz.shop.v1.Kind", True)
    assert card is not None
    assert card.oneof == "how"
    assert message.field("nothing") is None
    assert contract.enums["blytz.shop.v1.Kind"].values[0].comment == "None."


def test_third_party_messages_are_not_ours(tmp_path: Path) -> None:
    assert all(name.startswith("blytz.") for name in shop(tmp_path).messages)
