"""The entry point of every service, as processes meet it."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from fakes.mesh import channel_to, identity_in
from fakes.service_process import ServiceProcess, run_role, started
from kernel.ids import new_id
from stack.ports import LOOPBACK, PortReservations, PortTaken, require_free

TINY = "fakes.tiny_service"
GET = messages.GetAuctionRequest(auction_id=new_id())


@pytest.fixture
def settings(tls_folder: Path, port_reservations: PortReservations) -> dict[str, str]:
    return {
        "environment": "development",
        "grpc_address": f"{LOOPBACK}:{port_reservations.take()}",
        "admin_address": f"{LOOPBACK}:{port_reservations.take()}",
        "tls_dir": str(tls_folder / "auction"),
        "word": "hello",
    }


async def eventually_logged(process: ServiceProcess, event: str) -> None:
    for _ in range(1_000):
        if event in process.log:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(process.log)


def test_wrong_settings_are_one_line(settings: dict[str, str]) -> None:
    del settings["word"], settings["tls_dir"]
    ended = run_role(TINY, [], settings)
    assert ended.returncode == 1
    assert ended.stderr == "svc_tiny: BLYTZ_TLS_DIR is missing; BLYTZ_WORD is missing\n"


def test_settings_that_contradict_each_other_are_one_line(settings: dict[str, str]) -> None:
    ended = run_role(TINY, ["serve"], settings | {"word": "forbidden"})
    assert (ended.returncode, ended.stderr) == (1, "svc_tiny: BLYTZ_WORD must not be that\n")


def test_a_role_gets_the_other_arguments_and_gives_the_exit_code(
    settings: dict[str, str],
) -> None:
    ended = run_role(TINY, ["say", "--loud", "twice", "3"], settings)
    assert ended.returncode == 3, ended.stderr
    assert '"--loud", "twice", "3"' in ended.stdout + ended.stderr


def test_an_unknown_role_is_refused(settings: dict[str, str]) -> None:
    ended = run_role(TINY, ["dance"], settings)
    assert ended.returncode == 2
    assert "invalid choice" in ended.stderr


def test_a_service_without_a_database_has_nothing_to_migrate(settings: dict[str, str]) -> None:
    assert run_role(TINY, ["migrate"], settings).returncode == 0


async def test_sigterm_is_not_ready_then_drained_then_gone(
    settings: dict[str, str], tls_folder: Path, tmp_path: Path
) -> None:
    slow = settings | {"slow_s": "1.0", "drain_delay_s": "0.5", "drain_grace_s": "10"}
    edge = identity_in(tls_folder, "edge")
    async with (
        started(TINY, [], slow, tmp_path / "log") as process,
        channel_to(settings["grpc_address"], "auction", edge) as channel,
    ):
        await process.until_ready()
        call = asyncio.ensure_future(AuctionServiceStub(channel).GetAuction(GET))
        await eventually_logged(process, "answering")
        process.popen.send_signal(signal.SIGTERM)
        await eventually_logged(process, "draining")
        assert await process.readiness() == 503
        assert (await call).auction.title == "hello"
        assert await process.ended() == 0
        names = [event["event"] for event in process.events()]
        assert names[-2:] == ["unwired", "stopped"]


async def test_a_call_that_never_ends_does_not_hold_up_the_end(
    settings: dict[str, str], tls_folder: Path, tmp_path: Path
) -> None:
    endless = settings | {"slow_s": "60", "drain_delay_s": "0", "drain_grace_s": "0.2"}
    edge = identity_in(tls_folder, "edge")
    async with (
        started(TINY, ["serve"], endless, tmp_path / "log") as process,
        channel_to(settings["grpc_address"], "auction", edge) as channel,
    ):
        await process.until_ready()
        call = asyncio.ensure_future(AuctionServiceStub(channel).GetAuction(GET))
        await eventually_logged(process, "answering")
        assert await process.stop(signal.SIGINT) == 0
        with pytest.raises(grpc.aio.AioRpcError):
            await call


async def test_a_taken_port_ends_the_process(settings: dict[str, str], tmp_path: Path) -> None:
    async with started(TINY, [], settings, tmp_path / "log") as process:
        await process.until_ready()
        second = await asyncio.to_thread(run_role, TINY, [], settings)
        assert second.returncode != 0
        assert await process.readiness() == 200


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def next_to(address: str) -> str:
    host, port = address.rsplit(":", maxsplit=1)
    return f"{host}:{int(port) + 1}"


def port_of_pair(reservations: PortReservations) -> int:
    """Return a reserved port whose next one is free as well."""
    while True:
        port = reservations.take()
        with suppress(PortTaken):
            require_free(port + 1)
            return port


@pytest.fixture
def pairs(settings: dict[str, str], port_reservations: PortReservations) -> dict[str, str]:
    for name in ("grpc_address", "admin_address"):
        settings[name] = f"{LOOPBACK}:{port_of_pair(port_reservations)}"
    return settings


@pytest.mark.parametrize("option", [["--workers", "2"], ["--workers=2"]])
async def test_workers_each_have_ports_of_their_own(
    pairs: dict[str, str], tmp_path: Path, option: list[str]
) -> None:
    async with started(TINY, ["serve", *option], pairs, tmp_path / "log") as process:
        await process.until_ready()
        await process.until_ready(next_to(pairs["admin_address"]))
        assert await process.stop() == 0
        assert await process.readiness() == 0
        assert process.log.count('"serving"') == 2


async def test_a_worker_that_dies_takes_the_others_along(
    pairs: dict[str, str], tmp_path: Path
) -> None:
    async with started(TINY, ["--workers", "2"], pairs, tmp_path / "log") as process:
        await process.until_ready()
        await process.until_ready(next_to(pairs["admin_address"]))
        os.kill(children_of(process.popen.pid)[0], signal.SIGKILL)
        assert await asyncio.to_thread(process.popen.wait, 20) != 0
        assert await process.readiness() == 0
        assert await process.readiness(next_to(pairs["admin_address"])) == 0
