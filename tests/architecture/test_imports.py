"""What imports what, beyond the layers that import-linter keeps."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fakes import source_tree
from fakes.source_tree import module_name, python_files

PURE_LAYERS = frozenset({"domain", "application"})
# What the kit offers to services that handle others' events or share a cache.
OFFERED = frozenset({Path("servicekit/events/consumer.py"), Path("servicekit/redis.py")})
PRODUCTS = ("kernel", "servicekit", "stack", "toolchain", "clients", "svc_")


def test_rules_and_use_cases_are_pure() -> None:
    """Kernel, domain and application know the standard library, kernel and one another alone."""
    found = []
    for path in python_files():
        package = path.parts[0]
        service_rules = package.startswith("svc_") and path.parts[1] in PURE_LAYERS
        if package != "kernel" and not service_rules:
            continue
        allowed = {"kernel", *sys.stdlib_module_names, *([package] if service_rules else [])}
        found += [f"{path}: {name}" for name in _imports(path) if name.split(".")[0] not in allowed]
    assert found == []


def test_every_module_is_used() -> None:
    """No product module is there for tests alone; what is run by name is named in a string."""
    sources = [path for path in python_files() if not source_tree.is_test(path)]
    used = {name for path in sources for name in _imports(path)}
    strings = {each for path in sources for each in _strings(path)}
    unused = [
        str(path)
        for path in sources
        if path.parts[0].startswith(PRODUCTS)
        and path not in OFFERED
        and not _is_entry_point(path)
        and module_name(path) not in used
        and not _is_named(path, strings)
    ]
    assert unused == []


def _is_named(path: Path, strings: set[str]) -> bool:
    """Whether a string names the module, its file, or its package before a name from a table."""
    name = module_name(path)
    package = f"{name.rpartition('.')[0]}."
    return package in strings or any(name in each or each.endswith(path.name) for each in strings)


def test_a_service_is_called_by_nobody_in_process() -> None:
    """Tests of one service may import it; product code of another package may not."""
    found = [
        f"{path}: {name}"
        for path in python_files()
        if not source_tree.is_test(path) and path.parts[0] != "benchmarks"
        for name in _imports(path)
        if name.startswith("svc_") and name.split(".")[0] != path.parts[0]
    ]
    assert found == []


def _is_entry_point(path: Path) -> bool:
    """Packages, programs and what Alembic finds by path."""
    return path.name in {"__init__.py", "__main__.py"} or "migrations" in path.parts


@cache
def _imports(path: Path) -> frozenset[str]:
    """Return every module that a file may mean: `from a import b` may mean `a` and `a.b`."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(source_tree.tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


@cache
def _strings(path: Path) -> frozenset[str]:
    return frozenset(
        node.value
        for node in ast.walk(source_tree.tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value
    )
