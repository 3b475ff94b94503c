"""Compiles the contracts, without a network, into one image: a descriptor set with comments.

Third-party `.proto` text is neither copied nor fetched. The descriptors that the contracts import
come out of installed packages and are handed to protoc as a descriptor set.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from google.api import annotations_pb2, http_pb2, httpbody_pb2
from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    message_factory,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2, status_pb2
from protovalidate._gen.buf.validate import validate_pb

THIRD_PARTY = (
    descriptor_pb2,
    any_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
    http_pb2,
    annotations_pb2,
    httpbody_pb2,
    error_details_pb2,
    status_pb2,
)


ALWAYS_INCLUDED = "google/rpc/error_details.proto"
"""Imported by no contract, but carried in every error: whoever reads errors needs its types."""


class CompileError(Exception):
    """The contracts do not compile; the message is the compiler's."""


@dataclass(frozen=True)
class Image:
    """A compiled set of contracts, as protoc wrote it."""

    serialized: bytes
    """A `google.protobuf.FileDescriptorSet` with imports, comments and unresolved options."""
    own_files: tuple[str, ...]
    """The names of the files that are ours, sorted; every other file is third-party."""

    @cached_property
    def pool(self) -> DescriptorPool:
        """A pool of exactly this image's files, apart from whatever the process has imported."""
        pool = DescriptorPool()
        for file in FileDescriptorSet.FromString(self.serialized).file:
            pool.AddSerializedFile(file.SerializeToString())
        return pool

    @cached_property
    def files(self) -> Any:
        """The image as a `FileDescriptorSet` of its own pool, so that every option is readable."""
        return self.message_class("google.protobuf.FileDescriptorSet").FromString(self.serialized)

    @property
    def descriptors(self) -> bytes:
        """The descriptor set without comments: what Envoy and `buf curl --schema` read."""
        files = FileDescriptorSet.FromString(self.serialized)
        for file in files.file:
            file.ClearField("source_code_info")
        return files.SerializeToString(deterministic=True)

    def message_class(self, full_name: str) -> Any:
        """Return the class of a message type of this image."""
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(full_name))


def third_party() -> FileDescriptorSet:
    """Return the descriptors that contracts may import, dependencies before dependents."""
    files = FileDescriptorSet()
    for module in THIRD_PARTY:
        module.DESCRIPTOR.CopyToProto(files.file.add())
    # The rules' vocabulary is in no package as text; its generated module carries the descriptor.
    vocabulary = validate_pb._DESC.proto  # noqa: SLF001
    files.file.append(FileDescriptorProto.FromString(vocabulary.to_binary()))
    return files


def run_protoc(protos: Path, *arguments: str) -> None:
    """Run protoc over `protos` with the third-party descriptors; raises CompileError."""
    with tempfile.TemporaryDirectory() as folder:
        dependencies = Path(folder) / "third_party.binpb"
        dependencies.write_bytes(third_party().SerializeToString(deterministic=True))
        finished = subprocess.run(
            [
                *(sys.executable, "-m", "grpc_tools.protoc"),
                f"--descriptor_set_in={dependencies}",
                f"-I{protos}",
                *arguments,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if finished.returncode != 0:
        raise CompileError(finished.stderr.strip())


def own_files(protos: Path) -> tuple[str, ...]:
    """Return the names of the contracts' files relative to `protos`, sorted."""
    return tuple(sorted(path.relative_to(protos).as_posix() for path in protos.rglob("*.proto")))


def compile_image(protos: Path) -> Image:
    """Compile every file under `protos`; raises CompileError."""
    names = own_files(protos)
    if not names:
        raise CompileError(f"no .proto file under {protos}")
    everything = (*names, ALWAYS_INCLUDED)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "image.binpb"
        run_protoc(protos, "--include_imports", "--include_source_info", f"-o{target}", *everything)
        return Image(serialized=target.read_bytes(), own_files=names)
