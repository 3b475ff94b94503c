import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.gateway import Places, render
from stack.layout import PROJECT_ROOT

TEMPLATE = (PROJECT_ROOT / "edge" / "envoy" / "envoy.yaml").read_text()
PLACES = Places(
    listener_host="127.0.0.1",
    listener_port=18_080,
    keys_port=18_081,
    admin_port=18_082,
    cluster_ports={
        "identity": [20_001],
        "auction": [20_002, 20_003],
        "payment": [20_004],
        "realtime": [20_005],
        "web": [20_006],
        "jwks": [18_081],
    },
    tls_folder=Path("/somewhere/tls/edge"),
    descriptor_path=Path("/somewhere/contracts.binpb"),
)


@pytest.fixture(scope="module")
def rendered() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(render(TEMPLATE, PLACES))
    return document


def _ports(cluster: dict[str, Any]) -> list[int]:
    endpoints = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    return [each["endpoint"]["address"]["socket_address"]["port_value"] for each in endpoints]


def test_every_cluster_is_on_this_machine(rendered: dict[str, Any]) -> None:
    clusters = {cluster["name"]: cluster for cluster in rendered["static_resources"]["clusters"]}
    assert {name: _ports(cluster) for name, cluster in clusters.items()} == PLACES.cluster_ports
    assert {cluster["type"] for cluster in clusters.values()} == {"STATIC"}


def test_nothing_of_the_container_image_is_left(rendered: dict[str, Any]) -> None:
    text = yaml.safe_dump(rendered)
    assert "/etc/blytz" not in text
    assert "svc-" not in text
    assert "/somewhere/tls/edge/key.pem" in text
    assert "/somewhere/contracts.binpb" in text


def test_the_doors_are_where_they_should_be(rendered: dict[str, Any]) -> None:
    def port(address: dict[str, Any]) -> tuple[str, int]:
        return address["socket_address"]["address"], address["socket_address"]["port_value"]

    public, keys = rendered["static_resources"]["listeners"]
    assert port(public["address"]) == ("127.0.0.1", 18_080)
    assert port(keys["address"]) == ("127.0.0.1", 18_081)
    assert port(rendered["admin"]["address"]) == ("127.0.0.1", 18_082)


def test_policies_stay_the_contracts(rendered: dict[str, Any]) -> None:
    original = yaml.safe_load(TEMPLATE)
    for document in (original, placed := copy.deepcopy(rendered)):
        del document["admin"]
        for listener in document["static_resources"]["listeners"]:
            del listener["address"]
        for cluster in document["static_resources"]["clusters"]:
            for place in ("type", "dns_lookup_family", "load_assignment"):
                cluster.pop(place, None)
    text = yaml.safe_dump(original).replace("/etc/blytz/tls/", "/somewhere/tls/edge/")
    assert yaml.safe_load(text.replace("/etc/blytz/", "/somewhere/")) == placed


def test_an_unknown_cluster_is_an_error() -> None:
    document = yaml.safe_load(TEMPLATE)
    document["static_resources"]["clusters"][0]["name"] = "catalog"
    with pytest.raises(ValueError, match="catalog"):
        render(yaml.safe_dump(document), PLACES)
