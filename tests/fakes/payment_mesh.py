"""The payment service on a real gRPC server with mTLS, and callers with their certificates."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from blytz.common.v1.money_pb2 import Money
from blytz.payment.v1 import wallet_service_pb2 as messages
from blytz.payment.v1.payment_service_pb2_grpc import PaymentServiceStub
from blytz.payment.v1.wallet_service_pb2_grpc import WalletServiceStub
from fakes.token_mint import AUDIENCE, ISSUER, TokenMint
from kernel.ids import new_id
from servicekit.background import running
from servicekit.channels import Channels
from servicekit.errors import STATUS_DETAILS_KEY
from servicekit.main import Kit
from servicekit.rpc import RpcAdapter
from servicekit.server import GrpcServer
from servicekit.tls import MeshIdentity, caller_from_tls
from servicekit.tokens import TokenVerifier
from svc_payment.settings import PaymentSettings
from svc_payment.wiring import wire


class PaymentMesh:
    """Stubs as each workload has them: ``edge`` carries people's tokens, ``auction`` has none."""

    def __init__(self, *, mint: TokenMint, edge: Channels, auction: Channels) -> None:
        self._mint = mint
        self.wallet = edge.stub(WalletServiceStub)
        self.payment = edge.stub(PaymentServiceStub)
        self.auctions_wallet = auction.stub(WalletServiceStub)

    def person(self, user_id: str = "") -> tuple[str, grpc.aio.Metadata]:
        """Return a new user and the metadata with their token."""
        user_id = user_id or new_id()
        now_s = int(time.time())
        token = self._mint.token(sub=user_id, iat=now_s, nbf=now_s, exp=now_s + 900)
        return user_id, grpc.aio.Metadata(("authorization", f"Bearer {token}"))


@asynccontextmanager
async def serving(settings: PaymentSettings, *, tls_folder: Path) -> AsyncIterator[PaymentMesh]:
    """Serve with the service's own wiring and its background loops."""
    mint = TokenMint()
    async with AsyncExitStack() as stack:
        edge, auction, payment = (
            Channels(
                identity=MeshIdentity.load(tls_folder / name),
                addresses={"payment": settings.grpc_address},
            )
            for name in ("edge", "auction", "payment")
        )
        for channels in (edge, auction, payment):
            stack.push_async_callback(channels.close)
        kit = Kit(channels=payment, stopping=asyncio.Event())
        wiring = await stack.enter_async_context(wire(settings, kit))
        server = GrpcServer(
            adapter=RpcAdapter(
                caller_of=caller_from_tls(settings.trust_domain),
                verifier=TokenVerifier(
                    issuer=ISSUER, audience=AUDIENCE, fetch_keys=mint.fetch_keys
                ),
            ),
            rpc=wiring.rpc,
            credentials=MeshIdentity.load(settings.tls_dir).server_credentials(),
            address=settings.grpc_address,
            concurrent_calls_max=100,
            reflect=False,
        )
        await stack.enter_async_context(running(wiring.background))
        await server.start()
        stack.push_async_callback(server.drain, grace_s=1)
        for check in wiring.ready:
            await check()
        yield PaymentMesh(mint=mint, edge=edge, auction=auction)


def reason_of(error: grpc.aio.AioRpcError) -> tuple[str, str, dict[str, str]]:
    """Return the status, the reason and its metadata."""
    trailers: Any = error.trailing_metadata() or ()
    for name, value in trailers:
        if name == STATUS_DETAILS_KEY:
            status = Status.FromString(value)
            info = ErrorInfo()
            status.details[0].Unpack(info)
            return error.code().name, info.reason, dict(info.metadata)
    return error.code().name, "", {}


def usd(amount_minor: int) -> Money:
    return Money(currency_code="USD", amount_minor=amount_minor)


def deposit_request(
    *,
    amount: Money | None = None,
    card: str = "pm_card_visa",
    request_id: str = "",
) -> messages.CreateDepositRequest:
    return messages.CreateDepositRequest(
        request_id=request_id or new_id(), amount=amount or usd(1000), payment_method_id=card
    )


async def balance_of(mesh: PaymentMesh, token: grpc.aio.Metadata) -> tuple[int, int, int]:
    wallet = await mesh.wallet.GetWallet(messages.GetWalletRequest(), metadata=token)
    if not wallet.balances:
        return 0, 0, 0
    (balance,) = wallet.balances
    return (
        balance.available.amount_minor,
        balance.bidding_power.amount_minor,
        balance.pending_earnings.amount_minor,
    )
