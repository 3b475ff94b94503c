"""A whole mesh in a folder of its own, for one run of a benchmark."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import jwt
import psycopg

from kernel.ids import new_id
from servicekit import migrations
from svc_identity.infrastructure.signing_keys import SigningKeys

ISSUER = "https://blytz.live"
AUDIENCE = "blytz"
TOKEN_LIVES_S = 3_600


@dataclass(frozen=True, slots=True)
class BenchmarkMesh:
    """The running mesh: ``addresses`` is what ``blytz up --json`` printed."""

    addresses: dict[str, Any]

    @property
    def data_dir(self) -> Path:
        """The folder that the mesh keeps its data in."""
        return Path(self.addresses["data_dir"])

    @property
    def tls_dir(self) -> Path:
        """The folder with the certificates, one folder a workload."""
        return Path(self.addresses["tls_dir"])

    def grpc_address(self, service: str) -> str:
        """Return ``host:port`` of a service's own port."""
        return str(self.addresses["grpc"][service])

    def postgres_url(self, service: str) -> str:
        """Return the URL of a service's own database."""
        return str(self.addresses["postgres"][service])

    def fresh_database(self, package: str) -> str:
        """Create an empty database with the schema of a service; return its URL."""
        admin_url = str(self.addresses["postgres_admin_url"])
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute("create database benchmark")
        url = urlunsplit(urlsplit(admin_url)._replace(path="/benchmark"))
        migrations.upgrade(url, f"{package}.infrastructure.migrations")
        return url

    def tokens_of(self, user_ids: Sequence[str]) -> list[str]:
        """Sign an access token for each user, with the mesh's own key."""
        key = SigningKeys(self.data_dir / "keys").current
        now_s = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "roles": [], "name": "Bidder", "sid": new_id()}
        times = {"iat": now_s, "nbf": now_s, "exp": now_s + TOKEN_LIVES_S}
        return [
            jwt.encode(
                {**claims, **times, "sub": user_id, "jti": new_id()},
                key.private_key,
                algorithm="ES256",
                headers={"kid": key.key_id, "typ": "at+jwt"},
            )
            for user_id in user_ids
        ]


@asynccontextmanager
async def running_mesh(folder: Path) -> AsyncIterator[BenchmarkMesh]:
    """Start a mesh on free ports; stop it when the context ends."""
    stack = (sys.executable, "-m", "stack")
    at = ("--data-dir", str(folder))
    process = await asyncio.create_subprocess_exec(
        *stack, "up", *at, "--port", "0", "--detach", "--json", stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        sys.exit(f"the mesh did not start: {output.decode()}")
    try:
        yield BenchmarkMesh(json.loads(output))
    finally:
        stopping = await asyncio.create_subprocess_exec(
            *stack, "down", *at, "--json", stdout=subprocess.DEVNULL
        )
        await stopping.wait()
