"""Puts the gateway's configuration together and writes it as YAML."""

from typing import Any

import yaml

from toolchain.contract import Contract
from toolchain.envoy.clusters import clusters
from toolchain.envoy.listeners import key_set_listener, public_listener
from toolchain.envoy.parameters import ADMIN_PORT, BOUNDS, LOOPBACK, TYPE

MONITORS = f"{TYPE}.extensions.resource_monitors"
HEADER = """\
# Generated from the contracts by `make gen`: change a policy there, never a line here.
# What the gateway does and why: toolchain/envoy.
"""


def bootstrap(contract: Contract) -> dict[str, Any]:
    """Return Envoy's bootstrap configuration."""
    return {
        "node": {"id": "edge", "cluster": "edge"},
        "admin": {
            "address": {"socket_address": {"address": LOOPBACK, "port_value": ADMIN_PORT}},
        },
        "overload_manager": _overload_manager(),
        "static_resources": {
            "listeners": [public_listener(contract), key_set_listener(contract)],
            "clusters": clusters(contract),
        },
    }


def to_yaml(configuration: dict[str, Any]) -> str:
    """Return the configuration as YAML in the order in which it was made."""
    return HEADER + yaml.dump(
        configuration, Dumper=_PlainDumper, sort_keys=False, width=100, allow_unicode=True
    )


def _overload_manager() -> dict[str, Any]:
    """Return what the gateway does before it runs out: shrinks at 95 %, refuses at 98 %."""
    heap = "envoy.resource_monitors.fixed_heap"
    connections = "envoy.resource_monitors.global_downstream_max_connections"
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            {
                "name": heap,
                "typed_config": {
                    "@type": f"{MONITORS}.fixed_heap.v3.FixedHeapConfig",
                    "max_heap_size_bytes": BOUNDS.heap_bytes_max,
                },
            },
            {
                "name": connections,
                "typed_config": {
                    "@type": f"{MONITORS}.downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": BOUNDS.connections_max,
                },
            },
        ],
        "actions": [
            _action("shrink_heap", heap, 0.95),
            _action("stop_accepting_requests", heap, 0.98),
        ],
    }


def _action(name: str, monitor: str, threshold: float) -> dict[str, Any]:
    return {
        "name": f"envoy.overload_actions.{name}",
        "triggers": [{"name": monitor, "threshold": {"value": threshold}}],
    }


class _PlainDumper(yaml.SafeDumper):
    """A dumper without anchors: each part reads by itself."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True
