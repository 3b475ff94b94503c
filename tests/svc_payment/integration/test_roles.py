"""``python -m svc_payment`` as the stack and an operator run it."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from fakes.payment_commands import usd
from fakes.payment_database import PaymentDatabase
from stack.certificates import ensure_certificates
from stack.layout import PROJECT_ROOT, python_path
from stack.parts.postgres import Postgres


async def run(role: str, environment: dict[str, str]) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "svc_payment", role),
        cwd=PROJECT_ROOT,
        env=os.environ | {"PYTHONPATH": python_path()} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@pytest.fixture
def environment(postgres_server: Postgres, tmp_path: Path) -> dict[str, str]:
    ensure_certificates(tmp_path)
    return {
        "BLYTZ_POSTGRES_URL": postgres_server.create_database("payment"),
        "BLYTZ_GRPC_ADDRESS": "127.0.0.1:1",
        "BLYTZ_ADMIN_ADDRESS": "127.0.0.1:1",
        "BLYTZ_TLS_DIR": str(tmp_path / "payment"),
    }


async def test_migrate_and_verify(environment: dict[str, str]) -> None:
    code, _, errors = await run("migrate", environment)
    assert code == 0, errors
    async with PaymentDatabase.open(environment["BLYTZ_POSTGRES_URL"]) as database:
        await database.wallet().deposit(usd(500))
    code, output, errors = await run("verify-ledger", environment)
    assert code == 0, errors
    assert json.loads(output) == {
        "is_sound": True,
        "account_count": 2,
        "transfer_count": 1,
        "deposited_minor": {"USD": 500},
        "wrong_balances": [],
        "wrong_transfers": [],
        "wrong_deposits": [],
        "wrong_settlements": [],
    }


async def test_a_wrong_ledger_is_exit_code_1(environment: dict[str, str], payment_url: str) -> None:
    async with PaymentDatabase.open(payment_url) as database:
        await database.wallet().deposit(usd(500))
        # Its owner can take a table's guards away; its rows then show it.
        await database.rows("alter table ledger_accounts disable trigger user")
        await database.rows("update ledger_accounts set balance_minor = balance_minor + 1")
    code, output, _ = await run("verify-ledger", environment | {"BLYTZ_POSTGRES_URL": payment_url})
    assert code == 1
    assert len(json.loads(output)["wrong_balances"]) == 2


async def test_a_currency_that_is_none_is_one_clear_line(environment: dict[str, str]) -> None:
    code, _, errors = await run("serve", environment | {"BLYTZ_CURRENCIES": "USD,dollars"})
    assert code != 0
    assert errors == (
        "svc_payment: BLYTZ_CURRENCIES: 'dollars' is not a currency code such as USD\n"
    )
