"""The mesh identity of a workload: its key and certificate, and whom it finds at the other end.

A workload's name is the last part of the SPIFFE id in its certificate,
``spiffe://<trust domain>/<name>`` or ``spiffe://<trust domain>/ns/<namespace>/sa/<name>``
(https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

CallerOf = Callable[[Any, Mapping[str, str]], str]
"""Tells the calling workload's name from a gRPC context and the request's headers, or ``""``."""


@dataclass(frozen=True, slots=True)
class MeshIdentity:
    """A workload's certificate, private key and the mesh's authority, all PEM."""

    certificate: bytes
    private_key: bytes
    authority: bytes

    @classmethod
    def load(cls, folder: Path) -> "MeshIdentity":
        """Read ``cert.pem``, ``key.pem`` and ``ca.pem``; ``OSError`` if one cannot be read."""
        return cls(
            certificate=(folder / "cert.pem").read_bytes(),
            private_key=(folder / "key.pem").read_bytes(),
            authority=(folder / "ca.pem").read_bytes(),
        )

    def server_credentials(self) -> grpc.ServerCredentials:
        """Return credentials that ask every client for a certificate of the mesh."""
        return grpc.ssl_server_credentials(
            [(self.private_key, self.certificate)], self.authority, require_client_auth=True
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Return credentials that show this workload's certificate."""
        return grpc.ssl_channel_credentials(self.authority, self.private_key, self.certificate)


def caller_from_tls(trust_domain: str) -> CallerOf:
    """Tell callers by the certificate of the connection itself."""
    prefix = f"spiffe://{trust_domain}/".encode()

    def caller_of(context: Any, _metadata: Mapping[str, str]) -> str:
        return _name(prefix, context.peer_identities() or ())

    return caller_of


def caller_from_forwarded_certificate(trust_domain: str) -> CallerOf:
    """Tell callers by ``x-forwarded-client-cert``, which the sidecar sets and nobody else can.

    The last element counts: the sidecar appends its own and earlier ones come from further away.
    """
    prefix = f"spiffe://{trust_domain}/".encode()
    uri = re.compile(r'URI="?([^;,"]+)')

    def caller_of(_context: Any, metadata: Mapping[str, str]) -> str:
        header = metadata.get("x-forwarded-client-cert", "")
        uris = uri.findall(header.rsplit(",", maxsplit=1)[-1])
        return _name(prefix, (found.encode() for found in uris))

    return caller_of


def _name(prefix: bytes, identities: Iterable[bytes]) -> str:
    for identity in identities:
        if identity.startswith(prefix):
            return identity.rsplit(b"/", maxsplit=1)[-1].decode()
    return ""
