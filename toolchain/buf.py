"""Runs `buf lint` and `buf breaking` on compiled images, so that no module has to be fetched."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from toolchain.image import Image, compile_image

CONFIGURATION = "buf.yaml"
MAIN = "main"
# Field 8042 of a file in buf's image format, length-delimited, holding `is_import = true`.
IS_IMPORT = bytes((0xD2, 0xF6, 0x03, 0x02, 0x08, 0x01))


def buf_image(image: Image) -> bytes:
    """Return the image in buf's format: third-party files are imports, and are not checked."""
    files = FileDescriptorSet()
    for file in FileDescriptorSet.FromString(image.serialized).file:
        marked = b"" if file.name in image.own_files else IS_IMPORT
        files.file.append(FileDescriptorProto.FromString(file.SerializeToString() + marked))
    return files.SerializeToString()


def lint(root: Path, image: Image) -> list[str]:
    """Return what `buf lint` finds, a line each."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "image.binpb"
        file.write_bytes(buf_image(image))
        return _run_buf("lint", str(file), "--config", configuration(root))


def breaking(root: Path, image: Image) -> list[str] | None:
    """Return what breaks callers of main, a line each; None if main has no contracts yet."""
    base = _merge_base(root)
    if base is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        before_protos = _protos_at(root, base, Path(folder))
        if before_protos is None:
            return None
        now, before = Path(folder) / "now.binpb", Path(folder) / "before.binpb"
        now.write_bytes(buf_image(image))
        before.write_bytes(buf_image(compile_image(before_protos)))
        return _run_buf(
            *("breaking", str(now), "--against", str(before)),
            *("--config", configuration(root)),
        )


def configuration(root: Path) -> str:
    """Return buf.yaml as buf wants it for an image: the files' names without the module's path."""
    settings: dict[str, Any] = yaml.safe_load((root / CONFIGURATION).read_text(encoding="utf-8"))
    (module,) = settings.pop("modules")
    prefix = f"{module['path']}/"
    for section in ("lint", "breaking"):
        excepted: dict[str, list[str]] = settings[section].get("ignore_only", {})
        for rule, files in excepted.items():
            excepted[rule] = [file.removeprefix(prefix) for file in files]
    return json.dumps(settings)


def _run_buf(*arguments: str) -> list[str]:
    """Return the lines that buf complains in; a failure without a word is a line as well."""
    program = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"
    finished = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if finished.returncode == 0:
        return []
    lines = (finished.stdout + finished.stderr).strip().splitlines()
    return lines or [f"buf {arguments[0]} ended with {finished.returncode}"]


def _merge_base(root: Path) -> str | None:
    """Return the commit at which this work left main; None before the first commit."""
    finished = _git(root, "merge-base", "HEAD", MAIN)
    if finished.returncode != 0:
        finished = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    return finished.stdout.strip() or None


def _protos_at(root: Path, commit: str, folder: Path) -> Path | None:
    """Write the contracts of a commit to the folder and returns where; None if it has none."""
    listed = _git(root, "ls-tree", "-r", "--name-only", commit, "--", "protos")
    names = [name for name in listed.stdout.splitlines() if name.endswith(".proto")]
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_git(root, "show", f"{commit}:{name}").stdout, encoding="utf-8")
    return folder / "protos" if names else None


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    git = shutil.which("git") or "git"
    return subprocess.run(
        [git, "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
