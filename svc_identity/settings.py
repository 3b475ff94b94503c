"""What svc_identity needs to know beside what every service needs."""

from dataclasses import dataclass
from pathlib import Path

from servicekit.settings import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class IdentitySettings(ServiceSettings):
    """Settings of svc_identity.

    ``signing_key_dir`` holds the keys for access tokens, see ``infrastructure.signing_keys``. A
    thread takes 19 MiB while it hashes. ``trusted_proxy_count`` is how many proxies of ours stand
    before the service, Envoy included.
    """

    signing_key_dir: Path
    hashing_thread_count: int = 2
    hashing_queue_max: int = 128
    trusted_proxy_count: int = 1
