"""The whole mesh: up, used through Envoy, hurt, and well again."""

import json
import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from fakes.eventually import eventually
from fakes.running_mesh import RunningMesh
from stack.layout import python_path


def _blytz(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stack", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": python_path()},
        timeout=120,
    )


async def _post(url: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json=body, headers=headers) as response,
    ):
        answer: dict[str, Any] = await response.json()
        assert response.status == 200, answer
        return answer


async def _sign_up(mesh: RunningMesh) -> str:
    person = {
        "email": f"{uuid.uuid4()}@people.example",
        "password": "correct horse battery staple",
        "display_name": "Ann",
    }
    answer = await _post(f"{mesh.edge_url}/v1/auth/register", person)
    token: str = answer["session"]["accessToken"]
    return token


async def _available_minor(mesh: RunningMesh, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{mesh.edge_url}/v1/wallet", headers=headers) as response,
    ):
        answer = await response.json()
        assert response.status == 200, answer
    return sum(int(each["available"]["amountMinor"]) for each in answer["balances"])


async def test_the_page_comes_through_the_gateway(mesh: RunningMesh) -> None:
    async with aiohttp.ClientSession() as session, session.get(mesh.edge_url) as response:
        assert response.status == 200
        assert "<html" in await response.text()
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]


async def test_a_deposit_goes_through_the_gateway_to_the_stand_in_and_back(
    mesh: RunningMesh,
) -> None:
    token = await _sign_up(mesh)
    deposit = {
        "request_id": str(uuid.uuid4()),
        "amount": {"currency_code": "USD", "amount_minor": "5000"},
        "payment_method_id": "pm_card_visa",
    }
    answer = await _post(f"{mesh.edge_url}/v1/wallet/deposits", deposit, token)
    assert answer["deposit"]["state"] == "DEPOSIT_STATE_SUCCEEDED"
    assert await _available_minor(mesh, token) == 5_000


async def test_the_webhook_is_accepted_through_the_gateway(mesh: RunningMesh) -> None:
    token = await _sign_up(mesh)
    deposit = {
        "request_id": str(uuid.uuid4()),
        "amount": {"currency_code": "USD", "amount_minor": "700"},
        "payment_method_id": "pm_card_visa",
    }
    await _post(f"{mesh.edge_url}/v1/wallet/deposits", deposit, token)
    objects = mesh.data_dir / "stripe" / "objects.sqlite"
    await eventually(lambda: _owed_webhooks(objects) == 0, within_s=20)


def _owed_webhooks(path: Path) -> int:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        count: int = connection.execute("select count(*) from webhooks").fetchone()[0]
    finally:
        connection.close()
    return count


def test_each_service_has_its_own_database(mesh: RunningMesh) -> None:
    urls: dict[str, str] = mesh.state["postgres"]
    assert set(urls) == {"identity", "payment", "auction", "realtime"}
    for name, url in urls.items():
        with psycopg.connect(url) as connection:
            row = connection.execute("select current_user, current_database()").fetchone()
            assert row == (name, name)
            durable = connection.execute("select current_setting('fsync')").fetchone()
            assert durable == ("on",)


def test_no_role_enters_another_services_database(mesh: RunningMesh) -> None:
    admin = mesh.state["postgres"]["payment"].rpartition("/")[0]
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(f"{admin}/auction").close()


@pytest.mark.parametrize("part", ["auction", "postgres", "kafka", "redis", "edge", "stripe"])
async def test_a_killed_part_comes_back_and_money_is_still_there(
    mesh: RunningMesh, part: str
) -> None:
    token = await _sign_up(mesh)
    deposit = {
        "request_id": str(uuid.uuid4()),
        "amount": {"currency_code": "USD", "amount_minor": "1200"},
        "payment_method_id": "pm_card_visa",
    }
    await _post(f"{mesh.edge_url}/v1/wallet/deposits", deposit, token)
    restarts = mesh.state["parts"][part]["restarts"]
    mesh.kill(part)
    mesh.await_restart(part, restarts=restarts + 1)
    assert await _available_minor(mesh, token) == 1_200


def test_status_tells_how_it_is_without_secrets(mesh: RunningMesh) -> None:
    told = _blytz("status", "--json", "--data-dir", str(mesh.data_dir))
    answer = json.loads(told.stdout)
    assert told.returncode == 0
    assert answer["ready"] is True
    assert answer["parts"]["postgres"]["ready"] is True
    assert answer["memory_bytes"] < 1_500_000_000
    assert "postgresql://" not in told.stdout
    assert "sk_test" not in told.stdout


def test_a_data_folder_takes_one_stack(mesh: RunningMesh) -> None:
    refused = _blytz("up", "--port", "0", "--data-dir", str(mesh.data_dir))
    assert refused.returncode == 1
    assert "already runs" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_taken_port_is_one_line_that_says_what_to_do(mesh: RunningMesh, tmp_path: Path) -> None:
    port = mesh.edge_url.rpartition(":")[2]
    refused = _blytz("up", "--port", port, "--data-dir", str(tmp_path))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"Port {port} is taken" in refused.stderr
    assert "--port" in refused.stderr
    as_json = _blytz("up", "--port", port, "--data-dir", str(tmp_path), "--detach", "--json")
    assert as_json.returncode == 1
    assert f"Port {port} is taken" in json.loads(as_json.stdout)["error"]


def test_nothing_runs_in_an_empty_folder(tmp_path: Path) -> None:
    told = _blytz("status", "--json", "--data-dir", str(tmp_path))
    assert told.returncode == 1
    assert json.loads(told.stdout) == {"ready": False, "parts": {}}
    down = _blytz("down", "--json", "--data-dir", str(tmp_path))
    assert down.returncode == 0
    assert json.loads(down.stdout)["stopped"] is False
