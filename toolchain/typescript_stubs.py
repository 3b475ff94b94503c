"""Writes the TypeScript stubs of the contracts with Connect's generator, where Node is installed.

Validation rules and HTTP bindings are taken out first: the page needs neither, and they would be a
third of its bundle. The policy stays: it gives a client its deadlines, retries and routing key.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse

from toolchain.image import ALWAYS_INCLUDED, CompileError, Image

DROPPED_IMPORTS = frozenset({"buf/validate/validate.proto", "google/api/annotations.proto"})
DROPPED_PACKAGES = ("buf.validate", "google.api")
GENERATED_THIRD_PARTY = (
    "google/api/httpbody.proto",
    "google/rpc/status.proto",
    ALWAYS_INCLUDED,
)
PLUGIN_FOLDERS_VARIABLE = "BLYTZ_PROTOC_GEN_ES_DIR"
PACKAGE = {
    "name": "@blytz/contracts",
    "version": "0.1.0",
    "description": "The contracts of Blytz, generated: messages, services and enums.",
    "license": "Apache-2.0",
    "private": True,
    "type": "module",
    "sideEffects": False,
    "exports": {"./*": "./*.ts"},
    "peerDependencies": {"@bufbuild/protobuf": "^2.17.0"},
}


def find_plugin(root: Path) -> Path | None:
    """Return the installed generator, or None where Node or the generator is missing."""
    if shutil.which("node") is None:
        return None
    folders = [root / "edge" / "web" / "node_modules" / ".bin"]
    if folder := os.environ.get(PLUGIN_FOLDERS_VARIABLE):
        folders.insert(0, Path(folder))
    plugins = (folder / "protoc-gen-es" for folder in folders)
    return next((plugin for plugin in plugins if plugin.exists()), None)


def write_typescript(image: Image, plugin: Path, target: Path) -> None:
    """Write the stubs of our files, and of the few third-party types they carry, to `target`."""
    request = CodeGeneratorRequest(parameter="target=ts,import_extension=none")
    stripped = _stripped_files(image)
    for file in stripped.file:
        request.proto_file.add().ParseFromString(file.SerializeToString(deterministic=True))
    present = {file.name for file in stripped.file}
    extra = [name for name in GENERATED_THIRD_PARTY if name in present]
    request.file_to_generate.extend([*image.own_files, *extra])
    finished = subprocess.run(
        [plugin], input=request.SerializeToString(), capture_output=True, check=False
    )
    if finished.returncode != 0:
        raise CompileError(finished.stderr.decode().strip())
    response = CodeGeneratorResponse.FromString(finished.stdout)
    if response.error:
        raise CompileError(response.error)
    for file in response.file:
        path = target / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content, encoding="utf-8")
    (target / "package.json").write_text(json.dumps(PACKAGE, indent=2) + "\n", encoding="utf-8")


def _stripped_files(image: Image) -> Any:
    """Return a copy of the image's files without the dropped options."""
    files = type(image.files)()
    files.CopyFrom(image.files)
    kept = [file for file in files.file if file.name not in DROPPED_IMPORTS]
    del files.file[:]
    files.file.extend(kept)
    for file in files.file:
        imports = [name for name in file.dependency if name not in DROPPED_IMPORTS]
        del file.dependency[:]
        file.dependency.extend(imports)
        for message in file.message_type:
            _strip_message(message)
        for service in file.service:
            for method in service.method:
                _strip_options(method)
    return files


def _strip_message(message: Any) -> None:
    """Take the dropped options off a message, its fields, its oneofs and what it nests."""
    for part in (message, *message.field, *message.oneof_decl):
        _strip_options(part)
    for nested in message.nested_type:
        _strip_message(nested)


def _strip_options(described: Any) -> None:
    """Take the dropped extensions off one descriptor, and its options if none is left."""
    for field, _ in described.options.ListFields():
        if field.is_extension and field.file.package in DROPPED_PACKAGES:
            described.options.ClearExtension(field)
    if not described.options.ListFields():
        described.ClearField("options")
