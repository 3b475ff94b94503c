"""One real gateway for the tests of this folder, with workloads that echo behind it."""

from collections.abc import Iterator

import pytest

from fakes.gateway import Gateway, running_gateway


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running
