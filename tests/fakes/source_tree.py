"""The repository as the architecture tests read it: files that git has or would take."""

import ast
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ("gen/", "edge/web/dist/", "docs/api.md", "edge/envoy/envoy.yaml")
LOCK_FILES = frozenset({"requirements.lock", "package-lock.json"})
BINARY = frozenset({".binpb", ".png", ".jpg", ".webp", ".avif", ".ico", ".gz", ".woff2"})
HAND_WRITTEN = frozenset({".py", ".ts", ".tsx", ".sql"})


@cache
def files() -> tuple[Path, ...]:
    """Every file of the work tree that is not ignored, relative to the root."""
    git = shutil.which("git") or "git"
    listed = subprocess.run(
        [git, "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    names = sorted(set(listed.stdout.decode().split("\0")) - {""})
    return tuple(Path(name) for name in names if (ROOT / name).is_file())


@cache
def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def text_files() -> list[Path]:
    return [path for path in files() if path.suffix not in BINARY]


def is_generated(path: Path) -> bool:
    return path.as_posix().startswith(GENERATED)


def hand_written() -> list[Path]:
    """The sources that people write and read."""
    return [path for path in files() if path.suffix in HAND_WRITTEN and not is_generated(path)]


def python_files() -> list[Path]:
    return [path for path in hand_written() if path.suffix == ".py"]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), filename=str(path))


def is_test(path: Path) -> bool:
    return path.parts[0] == "tests"


def module_name(path: Path) -> str:
    """Return the dotted name by which a Python file is imported."""
    parts = path.with_suffix("").parts
    if parts[:2] == ("clients", "python"):
        parts = parts[2:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
