"""svc_identity as its own process, and calls to it as any workload of the mesh."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from stack.certificates import ensure_certificates

ROOT = Path(__file__).resolve().parents[2]
START_S_MAX = 30.0
STOP_S_MAX = 20.0


@dataclass
class IdentityProcess:
    """The process, its folder and its addresses; ``environ`` runs further roles beside it."""

    folder: Path
    grpc_port: int
    admin_port: int
    environ: dict[str, str]
    stub_channels: list[grpc.Channel] = field(default_factory=list)

    @property
    def log(self) -> str:
        return (self.folder / "log.jsonl").read_text()

    def channel(self, workload: str = "edge") -> grpc.Channel:
        """Return a channel with a workload's certificate."""
        tls = self.folder / "tls" / workload
        credentials = grpc.ssl_channel_credentials(
            (tls / "ca.pem").read_bytes(),
            (tls / "key.pem").read_bytes(),
            (tls / "cert.pem").read_bytes(),
        )
        options = [("grpc.ssl_target_name_override", "identity.blytz.internal")]
        channel = grpc.secure_channel(f"127.0.0.1:{self.grpc_port}", credentials, options)
        self.stub_channels.append(channel)
        return channel

    def run_role(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_identity(arguments, self.environ)


@dataclass(frozen=True)
class Refusal:
    """An error as it came over the wire."""

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: dict[str, str]
    fields: tuple[str, ...]
    retry_after_s: float | None


def refusal_of(call: Any, request: Any, **options: Any) -> Refusal:
    """Call an RPC that must fail; return how."""
    try:
        response = call(request, timeout=10, **options)
    except grpc.RpcError as error:
        return _refusal(error)
    raise AssertionError(f"expected a refusal, got {response}")


def _refusal(error: Any) -> Refusal:
    trailers = {trailer.key: trailer.value for trailer in error.trailing_metadata() or ()}
    status = Status.FromString(trailers.get("grpc-status-details-bin", b""))
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    found = {
        detail.type_url: [detail.Unpack(m) for m in (info, bad, retry)] for detail in status.details
    }
    has_retry = any(unpacked[2] for unpacked in found.values())
    return Refusal(
        code=error.code(),
        reason=info.reason,
        message=error.details(),
        metadata=dict(info.metadata),
        fields=tuple(violation.field for violation in bad.field_violations),
        retry_after_s=retry.retry_delay.ToTimedelta().total_seconds() if has_retry else None,
    )


def identity_environ(
    folder: Path, *, grpc_port: int, admin_port: int, postgres_url: str, kafka_bootstrap: str
) -> dict[str, str]:
    """Return the environment of the process; certificates are made in ``folder``."""
    ensure_certificates(folder / "tls")
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}:{ROOT / 'gen/python'}",
        "BLYTZ_ENVIRONMENT": "development",
        "BLYTZ_GRPC_ADDRESS": f"127.0.0.1:{grpc_port}",
        "BLYTZ_ADMIN_ADDRESS": f"127.0.0.1:{admin_port}",
        "BLYTZ_TLS_DIR": str(folder / "tls" / "identity"),
        "BLYTZ_POSTGRES_URL": postgres_url,
        "BLYTZ_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "BLYTZ_SIGNING_KEY_DIR": str(folder / "keys"),
        "BLYTZ_LOG_LEVEL": "debug",
        "BLYTZ_DRAIN_GRACE_S": "1",
    }


def run_identity(
    arguments: Sequence[str], environ: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a role to its end."""
    return subprocess.run(
        [sys.executable, "-m", "svc_identity", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=START_S_MAX,
        check=False,
    )


@contextmanager
def running_identity(
    folder: Path, *, grpc_port: int, admin_port: int, environ: dict[str, str]
) -> Iterator[IdentityProcess]:
    """Serve until the block ends; SIGTERM must then be enough."""
    with (folder / "log.jsonl").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "svc_identity"],
            env=environ,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    identity = IdentityProcess(folder, grpc_port, admin_port, environ)
    try:
        _await_ready(identity, process)
        yield identity
    finally:
        for channel in identity.stub_channels:
            channel.close()
        process.terminate()
        try:
            exit_code = process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
    assert exit_code == 0, identity.log


def _await_ready(identity: IdentityProcess, process: subprocess.Popen[bytes]) -> None:
    url = f"http://127.0.0.1:{identity.admin_port}/readyz"
    deadline_s = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline_s:
        assert process.poll() is None, identity.log
        try:
            with urllib.request.urlopen(url, timeout=1) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise AssertionError(f"not ready: {identity.log}")
