"""Recompute the ledger from its postings, for operators and for ``verify-ledger``."""

from dataclasses import asdict, dataclass
from typing import Any

from servicekit.postgres import Database
from svc_payment.infrastructure.postgres_ledger import QUERIES


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was verified and what differs; the lists are empty if the ledger is sound.

    ``deposited_minor`` is what the outside world has brought in, by currency.
    """

    account_count: int
    transfer_count: int
    deposited_minor: dict[str, int]
    wrong_balances: list[dict[str, Any]]
    wrong_transfers: list[dict[str, Any]]
    wrong_deposits: list[dict[str, Any]]
    wrong_settlements: list[dict[str, Any]]

    @property
    def is_sound(self) -> bool:
        """Whether nothing differs."""
        return not (
            self.wrong_balances
            or self.wrong_transfers
            or self.wrong_deposits
            or self.wrong_settlements
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return {"is_sound": self.is_sound, **asdict(self)}


async def verify_ledger(database: Database) -> Verification:
    """Recompute all balances from the postings, in one snapshot of the database."""
    async with database.transaction() as connection:
        await connection.execute("set transaction isolation level repeatable read, read only")

        async def differences(name: str, *columns: str) -> list[dict[str, Any]]:
            cursor = await connection.execute(QUERIES[name])
            return [dict(zip(columns, row, strict=True)) for row in await cursor.fetchall()]

        cursor = await connection.execute(QUERIES["count_ledger"])
        counts = await cursor.fetchone()
        account_count, transfer_count, deposited_minor = counts or (0, 0, {})
        return Verification(
            account_count=account_count,
            transfer_count=transfer_count,
            deposited_minor=deposited_minor,
            wrong_balances=await differences(
                "verify_balances",
                "account_id",
                "kind",
                "currency_code",
                "balance_minor",
                "posted_minor",
            ),
            wrong_transfers=await differences("verify_transfers", "transfer_id", "kind"),
            wrong_deposits=await differences("verify_deposits", "deposit_id", "state"),
            wrong_settlements=await differences("verify_settlements", "auction_id"),
        )
