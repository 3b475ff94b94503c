"""Contracts of a few lines, compiled like the real ones, for tests of what is derived."""

import shutil
from pathlib import Path

from fakes.source_tree import ROOT
from toolchain.contract import Contract
from toolchain.contract_reader import read_contract
from toolchain.image import Image, compile_image

OPTIONS = Path("blytz/options/v1/policy.proto")
GOOD_POLICY = """
    callers: CALLER_EDGE
    access: ACCESS_USER
    timeout_ms: 2000
    idempotency: IDEMPOTENCY_NO
"""
FILE = """\
syntax = "proto3";
package blytz.shop.v1;
import "blytz/options/v1/policy.proto";
import "buf/validate/validate.proto";
import "google/api/annotations.proto";

// ShopService sells.
service ShopService {{
  // Buy buys a thing.
  //
  // Errors: `NOT_FOUND / THING_NOT_FOUND`.
  rpc {name}({takes}BuyRequest) returns ({gives}BuyResponse) {{
    {options}
  }}
}}

// BuyRequest names a thing.
message BuyRequest {{
{fields}
}}

// BuyResponse is empty.
message BuyResponse {{}}
{more}
"""
FIELDS = """\
  // The thing's id.
  string thing_id = 1;
  // How many.
  uint32 count = 2 [(buf.validate.field).uint32 = {gte: 1, lte: 9}];
"""


def policy_option(policy: str) -> str:
    return f"option (blytz.options.v1.policy) = {{{policy}}};"


def http_option(rule: str) -> str:
    return f"option (google.api.http) = {{{rule}}};"


def write_shop(
    root: Path,
    *,
    policy: str = GOOD_POLICY,
    http: str = "",
    name: str = "Buy",
    takes: str = "",
    gives: str = "",
    fields: str = FIELDS,
    more: str = "",
) -> Path:
    """Write a contract of one RPC under `root/protos` and return that folder."""
    protos = root / "protos"
    (protos / OPTIONS).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "protos" / OPTIONS, protos / OPTIONS)
    options = "\n    ".join(
        [policy_option(policy) if policy else "", http_option(http) if http else ""]
    )
    shop = protos / "blytz/shop/v1/shop_service.proto"
    shop.parent.mkdir(parents=True, exist_ok=True)
    shop.write_text(
        FILE.format(name=name, takes=takes, gives=gives, options=options, fields=fields, more=more)
    )
    return protos


def shop_image(root: Path, **parts: str) -> Image:
    return compile_image(write_shop(root, **parts))


def shop(root: Path, **parts: str) -> Contract:
    return read_contract(shop_image(root, **parts))
