"""What the gateway's configuration needs beyond the contract: names, places and bounds.

Everything here has the production value. A stack on one machine replaces addresses and paths.
"""

from dataclasses import dataclass

TRUST_DOMAIN = "blytz.live"
MESH_DNS_SUFFIX = "blytz.internal"
TYPE = "type.googleapis.com/envoy"

PUBLIC_PORT = 8080
KEY_SET_PORT = 8081
ADMIN_PORT = 9901
SERVICE_PORT = 50051
WEB_HOST, WEB_PORT = "web", 8080
LOOPBACK = "127.0.0.1"

DESCRIPTORS_PATH = "/etc/blytz/contracts.binpb"
TLS_FOLDER = "/etc/blytz/tls"

ISSUER = "https://blytz.live"
AUDIENCE = "blytz"

USER_HEADER = "x-blytz-user"
ROUTE_KEY_HEADER = "x-route-key"
ORIGINAL_PATH_HEADER = "x-envoy-original-path"
"""Where the transcoder leaves a JSON call's path, which it replaces by the RPC's."""

WEB_CLUSTER = "web"
KEY_SET_CLUSTER = "jwks"
KEY_SET_PATH = "/.well-known/jwks.json"

DEVELOPMENT_ORIGINS = r"https?://(localhost|127\.0\.0\.1)(:\d+)?"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one gateway process takes on, in bytes, milliseconds and counts."""

    connection_buffer_bytes: int = 1 << 20
    stream_window_bytes: int = 64 << 10
    connection_window_bytes: int = 1 << 20
    streams_per_connection_max: int = 1024
    connections_max: int = 50_000
    heap_bytes_max: int = 2 << 30
    header_kib_max: int = 32
    header_count_max: int = 100
    stream_idle_s: int = 300
    connection_idle_s: int = 3600
    headers_timeout_s: int = 10
    upstream_ping_interval_s: int = 30
    upstream_ping_timeout_s: int = 10
    client_ping_interval_s: int = 60
    client_ping_timeout_s: int = 20
    # The service answers DEADLINE_EXCEEDED itself, with a reason; the gateway comes second.
    timeout_margin_ms: int = 500
    retries_max: int = 2
    calls_open_max: int = 10_000
    feeds_open_max: int = 200_000
    rate_limited_callers_max: int = 20_000


BOUNDS = Bounds()
