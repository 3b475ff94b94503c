import aiohttp
import pytest
from prometheus_client import Counter

from kernel.errors import DependencyUnavailable
from servicekit.admin import admin_server

sold = Counter("blytz_test_sold_total", "Things sold in this test.")


async def ask(address: str, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{address}{path}") as response,
    ):
        return response.status, await response.text()


async def test_alive_is_not_ready(address: str) -> None:
    away = [DependencyUnavailable(dependency="postgres")]

    async def postgres() -> None:
        if away:
            raise away[0]

    async def redis() -> None:
        return

    async with admin_server(address, checks=[redis, postgres]):
        assert await ask(address, "/livez") == (200, "ok\n")
        status, text = await ask(address, "/readyz")
        assert status == 503
        assert "postgres" in text
        away.clear()
        assert await ask(address, "/readyz") == (200, "ok\n")


async def test_metrics_are_text(address: str) -> None:
    sold.inc(3)
    async with admin_server(address, checks=[]):
        status, text = await ask(address, "/metrics")
        assert status == 200
        assert "blytz_test_sold_total 3.0" in text
        assert (await ask(address, "/else"))[0] == 404


async def test_the_port_is_free_again_afterwards(address: str) -> None:
    for _ in range(2):
        async with admin_server(address, checks=[]):
            await ask(address, "/livez")
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(address, "/livez")


async def test_a_taken_port_is_an_error(address: str) -> None:
    async with admin_server(address, checks=[]):
        with pytest.raises(OSError, match="address already in use"):
            async with admin_server(address, checks=[]):
                pass
