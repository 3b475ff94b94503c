"""Deriving is repeatable, writes what differs, and stops before bad contracts do harm."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.small_contract import FIELDS, GOOD_POLICY, shop_image, write_shop
from fakes.source_tree import ROOT
from toolchain import buf
from toolchain.__main__ import main
from toolchain.generate import ContractError, derive
from toolchain.image import CompileError

STUB = "gen/python/blytz/shop/v1/shop_service_pb2.py"


def commit(root: Path) -> None:
    git = shutil.which("git") or "git"
    for arguments in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "protos"],
        ["-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "--quiet", "-m", "One"],
    ):
        subprocess.run([git, "-C", root, *arguments], check=True)


def with_buf_rules(root: Path) -> Path:
    rules = "version: v2\nmodules: [{path: protos}]\nlint: {use: [STANDARD, COMMENTS]}\n"
    (root / "buf.yaml").write_text(rules + "breaking: {use: [FILE]}\n")
    return root


def test_what_was_derived_is_not_derived_again(tmp_path: Path) -> None:
    write_shop(tmp_path)
    first = derive(tmp_path, write=True)
    assert STUB in first.differing
    assert {"gen/blytz.binpb", "edge/envoy/envoy.yaml", "docs/api.md"} <= set(first.differing)
    assert derive(tmp_path, write=False).differing == ()


def test_a_changed_a_lost_and_a_stale_file_are_found_and_mended(tmp_path: Path) -> None:
    write_shop(tmp_path)
    derive(tmp_path, write=True)
    stale = tmp_path / "gen/python/blytz/shop/v1/old_pb2.py"
    stale.write_text("")
    (tmp_path / STUB).write_text("changed")
    (tmp_path / "docs/api.md").unlink()
    (tmp_path / "gen/python/__pycache__").mkdir()
    (tmp_path / "gen/python/__pycache__/x.pyc").write_text("left by Python")
    expected = ("docs/api.md", "gen/python/blytz/shop/v1/old_pb2.py", STUB)
    assert derive(tmp_path, write=False).differing == expected
    assert derive(tmp_path, write=True).differing == expected
    assert not stale.exists()
    assert derive(tmp_path, write=False).differing == ()


def test_a_bad_contract_writes_nothing(tmp_path: Path) -> None:
    write_shop(tmp_path, policy="")
    with pytest.raises(ContractError, match="ShopService/Buy: has no policy option"):
        derive(tmp_path, write=True)
    write_shop(tmp_path, fields="strin thing = 1;")
    with pytest.raises(CompileError, match=r"shop_service\.proto"):
        derive(tmp_path, write=True)
    assert not (tmp_path / "gen").exists()


def test_the_stubs_work_where_they_are_installed(tmp_path: Path) -> None:
    write_shop(tmp_path)
    derive(tmp_path, write=True)
    code = (
        "from blytz.shop.v1 import shop_service_pb2, shop_service_pb2_grpc;"
        "print(shop_service_pb2.BuyRequest(count=2), shop_service_pb2_grpc.ShopServiceStub)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path / "gen/python")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "count: 2" in finished.stdout


def test_the_reference_has_the_contracts_words(tmp_path: Path) -> None:
    write_shop(tmp_path, http='get: "/v1/buy"')
    derive(tmp_path, write=True)
    reference = (tmp_path / "docs/api.md").read_text()
    for words in (
        "Buy buys a thing.",
        "Errors: `NOT_FOUND / THING_NOT_FOUND`.",
        "`GET /v1/buy`",
        "| USER | 2 s | no | none |",
        "| `count` | `uint32` | How many. | `uint32.lte = 9`<br>`uint32.gte = 1` |",
    ):
        assert words in reference
    targets = {part.split('"')[0] for part in reference.split('<a id="')[1:]}
    links = {part.split(")")[0] for part in reference.split("](#")[1:]}
    assert {link for link in links if "-" in link} <= targets
    assert "- Anyone may keep" not in reference


def test_the_reference_says_what_may_be_kept(tmp_path: Path) -> None:
    public = GOOD_POLICY.replace("ACCESS_USER", "ACCESS_PUBLIC").replace("_NO", "_YES")
    write_shop(tmp_path, policy=public + "cache_max_age_s: 7", http='get: "/v1/buy"')
    derive(tmp_path, write=True)
    reference = (tmp_path / "docs/api.md").read_text()
    assert "- Anyone may keep the answer to a call without a token for 7 s" in reference


def test_lint_looks_at_our_files_alone(tmp_path: Path) -> None:
    with_buf_rules(tmp_path)
    assert buf.lint(tmp_path, shop_image(tmp_path)) == []
    lines = buf.lint(tmp_path, shop_image(tmp_path, fields="string ThingId = 1;"))
    assert lines
    assert all(line.startswith("blytz/shop/v1/shop_service.proto:") for line in lines)


def test_a_break_with_main_is_found(tmp_path: Path) -> None:
    with_buf_rules(tmp_path)
    assert buf.breaking(tmp_path, shop_image(tmp_path)) is None
    commit(tmp_path)
    assert buf.breaking(tmp_path, shop_image(tmp_path)) == []
    grown = shop_image(tmp_path, fields=FIELDS + "string colour = 3;")
    assert buf.breaking(tmp_path, grown) == []
    (line,) = buf.breaking(tmp_path, shop_image(tmp_path, fields="string thing_id = 1;")) or []
    assert 'field "2" with name "count"' in line.lower()


def test_check_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_buf_rules(tmp_path)
    write_shop(tmp_path, policy=GOOD_POLICY.replace("access: ACCESS_USER", ""))
    assert main(["check"], root=tmp_path) == 1
    assert "ShopService/Buy: has no access" in capsys.readouterr().err
    write_shop(tmp_path)
    assert main(["check"], root=tmp_path) == 1
    assert "docs/api.md: not as derived, run `make gen`" in capsys.readouterr().err
    assert main(["gen"], root=tmp_path) == 0
    assert main(["check"], root=tmp_path) == 0
    assert "main has no contracts to compare with yet" in capsys.readouterr().out


def test_the_tree_is_as_derived() -> None:
    assert derive(ROOT, write=False).differing == ()
