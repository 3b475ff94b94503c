"""Fits the generated Envoy configuration to one machine: addresses, ports and file paths only.

The routes, limits and policies are the contract's and stay as they are; what changes is where
things are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stack.ports import LOOPBACK

# The C ones where there are: the configuration is long.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_TLS_FOLDER = "/etc/blytz/tls/"
_DESCRIPTOR_PATH = "/etc/blytz/contracts.binpb"


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where things are on this machine: a port a worker process for each cluster.

    `keys_port` is the gateway's inner listener, through which it fetches the keys of tokens.
    """

    listener_host: str
    listener_port: int
    keys_port: int
    admin_port: int
    cluster_ports: Mapping[str, Sequence[int]]
    tls_folder: Path
    descriptor_path: Path


def render(template: str, places: Places) -> str:
    """Return the configuration for this machine; raise ValueError at an unknown cluster."""
    document = yaml.load(template, Loader=_Loader)  # noqa: S506  (a safe loader, either of them)
    bootstrap = _with_paths(document, places)
    bootstrap["admin"] = {"address": _address(LOOPBACK, places.admin_port)}
    resources = bootstrap["static_resources"]
    public, keys = resources["listeners"]
    public["address"] = _address(places.listener_host, places.listener_port)
    keys["address"] = _address(LOOPBACK, places.keys_port)
    for cluster in resources["clusters"]:
        _place_cluster(cluster, places)
    return yaml.dump(bootstrap, Dumper=_Dumper, sort_keys=False, width=120)


def _with_paths(node: Any, places: Places) -> Any:
    """Return the document with the paths of the container image replaced."""
    if isinstance(node, dict):
        return {key: _with_paths(value, places) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_paths(value, places) for value in node]
    if node == _DESCRIPTOR_PATH:
        return str(places.descriptor_path)
    if isinstance(node, str) and node.startswith(_TLS_FOLDER):
        return str(places.tls_folder / node.removeprefix(_TLS_FOLDER))
    return node


def _place_cluster(cluster: dict[str, Any], places: Places) -> None:
    """Point a cluster at the worker processes: addresses, so nothing is looked up by name."""
    name = cluster["name"]
    if name not in places.cluster_ports:
        raise ValueError(f"The gateway's configuration names an unknown cluster: {name}.")
    cluster["type"] = "STATIC"
    cluster.pop("dns_lookup_family", None)
    locality = cluster["load_assignment"]["endpoints"][0]
    pattern = locality["lb_endpoints"][0]
    locality["lb_endpoints"] = [
        {**pattern, "endpoint": {**pattern["endpoint"], "address": _address(LOOPBACK, port)}}
        for port in places.cluster_ports[name]
    ]


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
