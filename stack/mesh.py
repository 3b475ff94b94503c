"""The plan of the mesh: which parts there are, on which ports, who is told of whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stack.gateway import Places
from stack.layout import PROJECT_ROOT
from stack.options import Options
from stack.part import Part
from stack.parts.envoy import Envoy, GatewayFiles
from stack.parts.external import ExternalKafka, ExternalPostgres, ExternalRedis
from stack.parts.kafka import Kafka
from stack.parts.page import Page
from stack.parts.postgres import Postgres
from stack.parts.redis import Redis
from stack.parts.service import Service
from stack.parts.stripe import StripeStandin
from stack.ports import LOOPBACK, PortReservations
from stack.secret import Secret

SERVICES = ("identity", "payment", "auction", "realtime")
# The services that carry the load: bids and feeds.
SCALED_SERVICES = frozenset({"auction", "realtime"})
_DATABASES = SERVICES
_TEMPLATE_PATH = PROJECT_ROOT / "edge" / "envoy" / "envoy.yaml"
_DESCRIPTOR_PATH = PROJECT_ROOT / "gen" / "blytz.binpb"


@dataclass(frozen=True)
class StripeAccount:
    """How the payment service reaches Stripe, or what stands in for it."""

    api_key: str
    api_base: str
    webhook_secret: str


@dataclass(frozen=True)
class ServicePorts:
    """One process of a service."""

    grpc: int
    admin: int


@dataclass
class Mesh:
    """All parts in an order in which each comes after those it needs, and their addresses."""

    edge_url: str
    parts: list[Part] = field(default_factory=list)
    addresses: dict[str, Any] = field(default_factory=dict)


class MeshPlanner:
    """Turns options into parts."""

    def __init__(self, options: Options, *, ports: PortReservations, secret: Secret) -> None:
        self._options = options
        self._ports = ports
        self._secret = secret
        self._edge_port = options.edge_port or ports.take()
        self._service_ports = {
            name: [
                ServicePorts(grpc=ports.take(), admin=ports.take())
                for _ in range(options.workers if name in SCALED_SERVICES else 1)
            ]
            for name in SERVICES
        }

    def plan(self) -> Mesh:
        """Return the mesh."""
        postgres, kafka, redis = self._postgres(), self._kafka(), self._redis()
        stripe_part, stripe = self._stripe()
        page = Page(folder=self._options.page_folder, port=self._ports.take())
        shared = self._shared_environment(kafka.bootstrap, redis.url)
        services: list[Service] = []
        for name in SERVICES:
            environment = {**shared, **self._own_environment(name, postgres, stripe)}
            needs = ["postgres", "kafka", "redis"]
            if name == "payment" and stripe_part is not None:
                needs.append(stripe_part.name)
            services += self._service(name, environment, tuple(needs))
        edge = self._edge(page, services)
        standins = [] if stripe_part is None else [stripe_part]
        edge_url = f"http://{LOOPBACK}:{self._edge_port}"
        return Mesh(
            edge_url=edge_url,
            parts=[postgres, kafka, redis, *standins, page, *services, edge],
            addresses={
                "edge_url": edge_url,
                "data_dir": str(self._options.layout.root),
                "tls_dir": str(self._options.layout.tls),
                "postgres_admin_url": postgres.url,
                "postgres": {name: postgres.database_url(name) for name in _DATABASES},
                "kafka_bootstrap": kafka.bootstrap,
                "redis_url": redis.url,
                "grpc": {service.name: service.address for service in services},
                "admin": {
                    **{service.name: service.admin_url for service in services},
                    "edge": edge.admin_url,
                },
                "stripe": {"api_base": stripe.api_base, "api_key": stripe.api_key},
            },
        )

    def _postgres(self) -> Postgres | ExternalPostgres:
        if url := self._options.postgres_url:
            return ExternalPostgres(url=url, secret=self._secret, databases=_DATABASES)
        return Postgres(
            folder=self._options.layout.postgres,
            port=self._ports.take(),
            secret=self._secret,
            databases=_DATABASES,
        )

    def _kafka(self) -> Kafka | ExternalKafka:
        if bootstrap := self._options.kafka_bootstrap:
            return ExternalKafka(bootstrap=bootstrap)
        return Kafka(port=self._ports.take())

    def _redis(self) -> Redis | ExternalRedis:
        if url := self._options.redis_url:
            return ExternalRedis(url=url)
        folder = self._options.layout.run / "redis"
        return Redis(folder=folder, port=self._ports.take(), secret=self._secret)

    def _stripe(self) -> tuple[StripeStandin | None, StripeAccount]:
        options = self._options
        if options.stripe_api_key:
            return None, StripeAccount(
                options.stripe_api_key, options.stripe_api_base, options.stripe_webhook_secret
            )
        part = StripeStandin(
            folder=options.layout.stripe,
            port=self._ports.take(),
            webhook_url=f"http://{LOOPBACK}:{self._edge_port}/webhooks/stripe",
            secret=self._secret,
        )
        return part, StripeAccount(part.api_key, part.api_base, part.webhook_secret)

    def _shared_environment(self, kafka_bootstrap: str, redis_url: str) -> dict[str, str]:
        """Return what every service is told: the servers, and where the others are."""
        return {
            "BLYTZ_ENVIRONMENT": "development",
            "BLYTZ_KAFKA_BOOTSTRAP": kafka_bootstrap,
            "BLYTZ_REDIS_URL": redis_url,
            "BLYTZ_PEER_IDENTITY": "tls",
            **{f"BLYTZ_{name.upper()}_ADDRESS": self._target(name) for name in SERVICES},
        }

    def _own_environment(
        self, name: str, postgres: Postgres | ExternalPostgres, stripe: StripeAccount
    ) -> Mapping[str, str]:
        """Return what only this service is told."""
        layout = self._options.layout
        database_url = postgres.database_url(name)
        own: dict[str, dict[str, str]] = {
            "identity": {"BLYTZ_SIGNING_KEY_DIR": str(layout.keys)},
            "auction": {"BLYTZ_SHARD_URLS": f"0={database_url}"},
            "payment": {
                "BLYTZ_STRIPE_API_KEY": stripe.api_key,
                "BLYTZ_STRIPE_API_BASE": stripe.api_base,
                "BLYTZ_STRIPE_WEBHOOK_SECRET": stripe.webhook_secret,
            },
        }
        return {
            "BLYTZ_POSTGRES_URL": database_url,
            "BLYTZ_TLS_DIR": str(layout.tls / name),
            **own.get(name, {}),
        }

    def _service(
        self, name: str, environment: Mapping[str, str], needs: tuple[str, ...]
    ) -> list[Service]:
        """Return the processes of a service; the others wait for the first, which migrates."""
        stamps = self._options.layout.postgres / "migrated"
        return [
            Service(
                name=name if number == 0 else f"{name}-{number + 1}",
                module=f"svc_{name}",
                grpc_port=ports.grpc,
                admin_port=ports.admin,
                environment=environment,
                needs=needs if number == 0 else (*needs, name),
                migrates=number == 0,
                log_folder=self._options.layout.logs,
                stamp_path=None if self._options.postgres_url else stamps / name,
            )
            for number, ports in enumerate(self._service_ports[name])
        ]

    def _edge(self, page: Page, services: list[Service]) -> Envoy:
        layout = self._options.layout
        keys_port = self._ports.take()
        places = Places(
            listener_host=self._options.edge_host,
            listener_port=self._edge_port,
            keys_port=keys_port,
            admin_port=self._ports.take(),
            cluster_ports={
                **{name: [ports.grpc for ports in self._service_ports[name]] for name in SERVICES},
                "web": [int(page.address.rpartition(":")[2])],
                # The key set is fetched through a listener of the gateway's own.
                "jwks": [keys_port],
            },
            tls_folder=layout.tls / "edge",
            descriptor_path=_DESCRIPTOR_PATH,
        )
        return Envoy(
            files=GatewayFiles(_TEMPLATE_PATH, layout.run / "envoy.yaml"),
            places=places,
            needs=(page.name, *(service.name for service in services)),
        )

    def _target(self, name: str) -> str:
        """Return the gRPC target of a service: all of its processes."""
        addresses = [f"{LOOPBACK}:{ports.grpc}" for ports in self._service_ports[name]]
        return addresses[0] if len(addresses) == 1 else f"ipv4:{','.join(addresses)}"
