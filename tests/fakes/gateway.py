"""The real gateway before workloads that echo: one Envoy, its certificates, keys and upstreams."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody

from fakes.echo_workload import EchoWorkload
from fakes.token_mint import TokenMint
from stack.certificates import ensure_certificates
from stack.gateway import Places
from stack.part import running
from stack.parts.envoy import Envoy, GatewayFiles
from stack.ports import PortReservations

ROOT = Path(__file__).resolve().parents[2]
JWKS_PATH = "/blytz.identity.v1.AuthService/GetJwks"
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

    @contextmanager
    def channel(self) -> Iterator[grpc.Channel]:
        with grpc.insecure_channel(self.address) as channel:
            yield channel


@contextmanager
def running_gateway(folder: Path) -> Iterator[Gateway]:
    """Start the gateway with the configuration that is in the tree, and stops all of it."""
    with ExitStack() as block:
        ports = block.enter_context(PortReservations())
        ensure_certificates(folder / "tls")
        mint = TokenMint()
        workloads = {
            area: [
                EchoWorkload(folder=folder / "tls" / area, port=ports.take())
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
        yield Gateway(public_port, mint, workloads)


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
