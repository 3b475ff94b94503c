"""The real gateway before workloads that echo: one Envoy, its certificates, keys and upstreams."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody

from fakes.echo_workload import Answer, EchoWorkload, Seen
from fakes.token_mint import TokenMint
from stack.certificates import ensure_certificates
from stack.gateway import Places
from stack.part import running
from stack.parts.envoy import Envoy, GatewayFiles
from stack.ports import PortReservations

ROOT = Path(__file__).resolve().parents[2]
JWKS_PATH = "/blytz.identity.v1.AuthService/GetJwks"
WALLET_PATH = "/blytz.payment.v1.WalletService/GetWallet"
KEYS_WITHIN_S = 10.0
AREAS = ("identity", "auction", "payment", "realtime")
PAGE = b"<!doctype html><title>page</title>"


@dataclass(frozen=True)
class Gateway:
    """A running gateway and what stands behind it."""

    port: int
    mint: TokenMint
    workloads: dict[str, list[EchoWorkload]]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def token(self, user_id: str, **claims: Any) -> str:
        """Return a token that the gateway takes, but for what `claims` change."""
        now_s = int(time.time())
        right = {"iss": "https://blytz.live", "aud": "blytz", "iat": now_s, "nbf": now_s}
        return self.mint.token(**{**right, "exp": now_s + 900, "sub": user_id, **claims})

    def bearer(self, user_id: str, **claims: Any) -> tuple[str, str]:
        return ("authorization", f"Bearer {self.token(user_id, **claims)}")

    def take_seen(self, area: str) -> list[Seen]:
        """Return the calls that reached an area since the last time."""
        return [seen for workload in self.workloads[area] for seen in workload.take_seen()]

    @contextmanager
    def answering(self, area: str, path: str, answer: Answer) -> Iterator[None]:
        """Let an area answer an RPC in its own way for as long as the block lasts."""
        for workload in self.workloads[area]:
            workload.answers[path] = answer
        try:
            yield
        finally:
            for workload in self.workloads[area]:
                del workload.answers[path]

    def wait_for_keys(self) -> None:
        """Return when tokens are taken: the keys are fetched just after the start."""
        deadline_s = time.monotonic() + KEYS_WITHIN_S
        with self.channel() as channel:
            get_wallet: grpc.UnaryUnaryMultiCallable[bytes, bytes]
            get_wallet = channel.unary_unary(WALLET_PATH)
            while True:
                try:
                    get_wallet(b"", metadata=(self.bearer("first"),), timeout=KEYS_WITHIN_S)
                except grpc.RpcError:
                    if time.monotonic() > deadline_s:
                        raise
                    time.sleep(0.05)
                else:
                    self.take_seen("payment")
                    return

    @contextmanager
    def channel(self) -> Iterator[grpc.Channel]:
        with grpc.insecure_channel(self.address) as channel:
            yield channel


@contextmanager
def running_gateway(
    folder: Path, *, certificate_owners: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Gateway]:
    """Start the gateway with the configuration that is in the tree, and stop all of it.

    `certificate_owners` names the areas whose workload shows another area's certificate.
    """
    with ExitStack() as block:
        ports = block.enter_context(PortReservations())
        ensure_certificates(folder / "tls")
        mint = TokenMint()
        workloads = {
            area: [
                EchoWorkload(
                    folder=folder / "tls" / certificate_owners.get(area, area), port=ports.take()
                )
                for _ in range(3 if area == "auction" else 1)
            ]
            for area in AREAS
        }
        keys = HttpBody(content_type="application/json", data=mint.jwks()).SerializeToString()
        workloads["identity"][0].answers[JWKS_PATH] = lambda _request, _context: iter([keys])
        for workload in (each for group in workloads.values() for each in group):
            workload.start()
            block.callback(workload.stop)
        web_port = ports.take()
        block.enter_context(_page_server(web_port))
        public_port, keys_port = ports.take(), ports.take()
        places = Places(
            listener_host="127.0.0.1",
            listener_port=public_port,
            keys_port=keys_port,
            admin_port=ports.take(),
            cluster_ports={
                **{area: [each.port for each in group] for area, group in workloads.items()},
                "web": [web_port],
                "jwks": [keys_port],
            },
            tls_folder=folder / "tls" / "edge",
            descriptor_path=ROOT / "gen" / "blytz.binpb",
        )
        files = GatewayFiles(ROOT / "edge" / "envoy" / "envoy.yaml", folder / "envoy.yaml")
        envoy = Envoy(files=files, places=places, needs=())
        block.enter_context(_started(envoy, folder))
        gateway = Gateway(public_port, mint, workloads)
        gateway.wait_for_keys()
        yield gateway


@contextmanager
def _started(envoy: Envoy, folder: Path) -> Iterator[None]:
    """Run Envoy on a loop that only starting and stopping use."""
    with asyncio.Runner() as runner:
        block = running(envoy, log_folder=folder)
        runner.run(block.__aenter__())
        try:
            yield
        finally:
            runner.run(block.__aexit__(None, None, None))


@contextmanager
def _page_server(port: int) -> Iterator[None]:
    """Serves one page at every path."""
    with ThreadingHTTPServer(("127.0.0.1", port), _PageHandler) as server:
        thread = Thread(target=server.serve_forever, name="page")
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


class _PageHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""
