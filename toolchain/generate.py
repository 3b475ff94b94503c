"""Derives everything from the contracts, and tells what in the tree differs from that."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from toolchain.contract import Contract
from toolchain.contract_reader import read_contract
from toolchain.envoy.bootstrap import bootstrap, to_yaml
from toolchain.image import Image, compile_image
from toolchain.python_stubs import write_python
from toolchain.reference import write_reference
from toolchain.rules import find_problems
from toolchain.typescript_stubs import find_plugin, write_typescript

PROTOS = Path("protos")
PYTHON, TYPESCRIPT = Path("gen/python"), Path("gen/ts")
DESCRIPTORS = Path("gen/blytz.binpb")
GATEWAY = Path("edge/envoy/envoy.yaml")
REFERENCE = Path("docs/api.md")
NOT_OURS = frozenset({"__pycache__", "build", "node_modules"})


class ContractError(Exception):
    """The contracts break rules; the message has a line for each breach."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What `derive` did or would do."""

    image: Image
    differing: tuple[str, ...]
    """The files, relative to the root, that were changed, added or removed, or would be."""
    typescript: bool
    """Whether the TypeScript stubs were derived; Node and the generator are optional."""


def derive(root: Path, *, write: bool) -> Outcome:
    """Derive all outputs and compares them with the tree; `write` also replaces what differs.

    Raises CompileError or ContractError before anything is written.
    """
    image = compile_image(root / PROTOS)
    contract = read_contract(image)
    if problems := find_problems(contract):
        raise ContractError("\n".join(problems))
    plugin = find_plugin(root)
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        _write_all(image, contract, root, fresh)
        folders = [PYTHON]
        if plugin is not None:
            write_typescript(image, plugin, fresh / TYPESCRIPT)
            folders.append(TYPESCRIPT)
        wanted = _files(fresh, folders) | {DESCRIPTORS, GATEWAY, REFERENCE}
        present = _files(root, folders)
        differing = sorted(
            path for path in wanted | present if not _same(root / path, fresh / path)
        )
        if write:
            for path in differing:
                _replace(fresh / path, root / path)
    return Outcome(
        image=image,
        differing=tuple(path.as_posix() for path in differing),
        typescript=plugin is not None,
    )


def _write_all(image: Image, contract: Contract, root: Path, fresh: Path) -> None:
    for path in (DESCRIPTORS, GATEWAY, REFERENCE):
        (fresh / path).parent.mkdir(parents=True, exist_ok=True)
    write_python(image, root / PROTOS, fresh / PYTHON)
    (fresh / DESCRIPTORS).write_bytes(image.descriptors)
    (fresh / GATEWAY).write_text(to_yaml(bootstrap(contract)), encoding="utf-8")
    (fresh / REFERENCE).write_text(write_reference(contract), encoding="utf-8")


def _files(root: Path, folders: list[Path]) -> set[Path]:
    """Return the files under some folders, relative to the root, without what tools leave."""
    return {
        path.relative_to(root)
        for folder in folders
        for path in (root / folder).rglob("*")
        if path.is_file() and not _left_by_a_tool(path.relative_to(root / folder))
    }


def _left_by_a_tool(path: Path) -> bool:
    return any(part in NOT_OURS or part.endswith(".egg-info") for part in path.parts)


def _same(left: Path, right: Path) -> bool:
    return left.exists() and right.exists() and left.read_bytes() == right.read_bytes()


def _replace(source: Path, target: Path) -> None:
    """Make the target what the source is: the same bytes, or absent."""
    if not source.exists():
        target.unlink()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
