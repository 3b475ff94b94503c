"""A shard, the wallet, and what moves money between them; with a check of that money."""

from dataclasses import dataclass

from fakes.auction_shards import only, power_of, rows_of
from fakes.wallet_grpc_service import FakeWallet
from kernel.ids import new_id
from kernel.money import Money
from svc_auction.infrastructure.shards import Shard, Shards
from svc_auction.infrastructure.wallet_power import WalletPower


@dataclass(frozen=True)
class Bank:
    """A shard, the wallet, and what moves money between them."""

    shards: Shards
    wallet: FakeWallet
    power: WalletPower
    another: WalletPower

    @property
    def shard(self) -> Shard:
        return only(self.shards)

    async def top_up(self, bidder_id: str, minor: int) -> None:
        await self.power.top_up(
            auction_id=new_id(), bidder_id=bidder_id, shortfall=Money("USD", minor)
        )

    async def make_due(self) -> None:
        async with self.shard.transaction() as connection:
            await connection.execute("update power_transfers set next_try_at = clock_timestamp()")

    async def states(self) -> list[tuple[int, int, int]]:
        """Return kind, state and amount of every transfer, in order."""
        rows = await rows_of(
            self.shard,
            "select kind, state, amount_minor from power_transfers order by created_at",
        )
        return [(row[0], row[1], row[2]) for row in rows]

    async def check_money(self, bidder_id: str) -> None:
        """What the shard has, and what is on its way back, is exactly what the ledger moved."""
        allotted_minor, held_minor = await power_of(self.shard, bidder_id)
        on_its_way = await rows_of(
            self.shard,
            "select coalesce(sum(amount_minor), 0)::bigint from power_transfers"
            " where bidder_id = %s and state = 1 and kind in (2, 3)",
            bidder_id,
        )
        moved_minor = self.wallet.allotted[bidder_id, 0, "USD"]
        assert 0 <= held_minor <= allotted_minor
        assert allotted_minor + on_its_way[0][0] == moved_minor
