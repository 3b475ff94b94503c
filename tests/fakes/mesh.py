"""Services of the mesh in this process: their certificates, servers over mTLS, and clients."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from fakes.token_mint import AUDIENCE, ISSUER, TokenMint
from servicekit.channels import Channels
from servicekit.rpc import RpcAdapter
from servicekit.server import GrpcServer, Rpc
from servicekit.tls import MeshIdentity, caller_from_tls
from servicekit.tokens import TokenVerifier

TRUST_DOMAIN = "blytz.live"
CALL_TIMEOUT_S = 20.0

Detail = TypeVar("Detail", bound=Message)


def mint_token(mint: TokenMint, user_id: str, *roles: str, lasts_s: int = 900) -> str:
    """Return an access token that is good now."""
    now_s = int(time.time())
    return mint.token(
        sub=user_id, roles=list(roles), iat=now_s, nbf=now_s, exp=now_s + lasts_s, name="Ada"
    )


def bearer(token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")]


@asynccontextmanager
async def serving(
    rpc: Sequence[Rpc],
    *,
    address: str,
    identity: MeshIdentity,
    mint: TokenMint,
    concurrent_calls_max: int = 1_000,
    reflect: bool = False,
) -> AsyncIterator[GrpcServer]:
    """Serve with all the checks of the contract, as ``servicekit.main`` does."""
    verifier = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, fetch_keys=mint.fetch_keys)
    server = GrpcServer(
        adapter=RpcAdapter(caller_of=caller_from_tls(TRUST_DOMAIN), verifier=verifier),
        rpc=rpc,
        credentials=identity.server_credentials(),
        address=address,
        concurrent_calls_max=concurrent_calls_max,
        reflect=reflect,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.drain(grace_s=0)
        await verifier.close()


@asynccontextmanager
async def channel_to(
    address: str, service: str, identity: MeshIdentity | None
) -> AsyncIterator[grpc.aio.Channel]:
    """Open a plain channel with a workload's certificate, or with none."""
    options = [("grpc.ssl_target_name_override", f"{service}.blytz.internal")]
    if identity is None:
        channel = grpc.aio.insecure_channel(address)
    else:
        channel = grpc.aio.secure_channel(address, identity.channel_credentials(), options)
    try:
        yield channel
    finally:
        await channel.close()


@asynccontextmanager
async def channels_of(
    identity: MeshIdentity, addresses: Mapping[str, str]
) -> AsyncIterator[Channels]:
    channels = Channels(identity=identity, addresses=addresses)
    try:
        yield channels
    finally:
        await channels.close()


@dataclass(frozen=True)
class Refusal:
    """An error as it came over the wire."""

    code: grpc.StatusCode
    message: str
    status: Status

    def detail(self, kind: type[Detail]) -> Detail:
        found = kind()
        assert any(packed.Unpack(found) for packed in self.status.details), self
        return found

    @property
    def reason(self) -> str:
        info = self.detail(ErrorInfo)
        assert info.domain == "blytz.live"
        return str(info.reason)

    @property
    def metadata(self) -> dict[str, str]:
        return dict(self.detail(ErrorInfo).metadata)

    @property
    def fields(self) -> set[str]:
        return {violation.field for violation in self.detail(BadRequest).field_violations}

    @property
    def retry_after_s(self) -> float:
        return float(self.detail(RetryInfo).retry_delay.ToTimedelta().total_seconds())


async def refusal_of(
    method: Any, request: Any, metadata: Sequence[tuple[str, str]] = ()
) -> Refusal:
    """Call an RPC that must fail; return how."""
    try:
        answer = await method(request, metadata=metadata, timeout=CALL_TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        return refusal_from(error)
    raise AssertionError(f"It was answered: {answer}")


def refusal_from(error: grpc.aio.AioRpcError) -> Refusal:
    trailers = dict(error.trailing_metadata() or ())
    details = trailers.get("grpc-status-details-bin", b"")
    assert isinstance(details, bytes)
    return Refusal(error.code(), error.details() or "", Status.FromString(details))


def identity_in(folder: Path, workload: str) -> MeshIdentity:
    return MeshIdentity.load(folder / workload)
