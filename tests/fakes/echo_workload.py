"""A workload of the mesh that answers any RPC and remembers what reached it, for gateway tests."""

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path

import grpc

Answer = Callable[[bytes, grpc.ServicerContext], Iterator[bytes]]


@dataclass(frozen=True)
class Seen:
    """A call as it arrived."""

    path: str
    metadata: dict[str, str]
    request: bytes
    port: int


class EchoWorkload:
    """Serves every path over mTLS with the certificate in `folder`; an empty message by default."""

    def __init__(self, *, folder: Path, port: int) -> None:
        self.port = port
        self.answers: dict[str, Answer] = {}
        self._seen: list[Seen] = []
        self._lock = threading.Lock()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=8),
            handlers=[_EveryPath(self)],
            options=[("grpc.so_reuseport", 0)],
        )
        credentials = grpc.ssl_server_credentials(
            [((folder / "key.pem").read_bytes(), (folder / "cert.pem").read_bytes())],
            root_certificates=(folder / "ca.pem").read_bytes(),
            require_client_auth=True,
        )
        self._server.add_secure_port(f"127.0.0.1:{port}", credentials)

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop(grace=0).wait()

    def take_seen(self) -> list[Seen]:
        """Return the calls since the last time."""
        with self._lock:
            seen, self._seen = self._seen, []
        return seen

    def answer(
        self, path: str, requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        metadata = {key: str(value) for key, value in context.invocation_metadata()}
        request = next(requests, b"")
        with self._lock:
            self._seen.append(Seen(path, metadata, request, self.port))
        if path in self.answers:
            yield from self.answers[path](request, context)
        else:
            yield b""


class _EveryPath(grpc.GenericRpcHandler):
    """Handles whatever is called; a stream both ways is on the wire what every kind is."""

    def __init__(self, workload: EchoWorkload) -> None:
        self._workload = workload

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes]":
        path = handler_call_details.method

        def answer(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            return self._workload.answer(path, requests, context)

        return grpc.stream_stream_rpc_method_handler(answer)
