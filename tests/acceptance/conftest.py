"""What acceptance tests share: a market on the mesh, and the three ways in."""

from collections.abc import AsyncIterator

import pytest

from fakes.market import Market
from fakes.protocols import PROTOCOLS, Protocol
from fakes.running_mesh import RunningMesh


@pytest.fixture
async def market(mesh: RunningMesh) -> AsyncIterator[Market]:
    async with Market.on(mesh) as market:
        yield market


@pytest.fixture(params=PROTOCOLS, ids=[protocol.name for protocol in PROTOCOLS])
def protocol(request: pytest.FixtureRequest, mesh: RunningMesh) -> Protocol:
    """Native gRPC, gRPC-Web and JSON, one after the other."""
    made: Protocol = request.param(mesh.edge_url)
    return made
