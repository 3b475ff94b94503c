"""A whole replay: sign everyone in, play every auction, examine what the mesh kept of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from blytz_client import Blytz, Session
from stack.accounts import Accounts, ensure_funds
from stack.patience import persist
from stack.replay.casting import Casting, cast
from stack.replay.evidence import Findings, examine_bids
from stack.replay.recording import CURRENCY_CODE, RecordedAuction
from stack.replay.stage import Performance, Stage

_SELLERS = 4
_EXAMINED_AT_ONCE = 16

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """How to play: see `blytz replay --help`."""

    at_once: int
    speed: float | None
    reserves: bool
    watched: bool


@dataclass(slots=True)
class ReplayResult:
    """Every performance, by pass, and what was found afterwards.

    ``with_reserve`` are the auctions that were played a second time, with their recorded price as
    the hidden reserve.
    """

    plain: list[Performance]
    with_reserve: list[Performance] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    reconnections: int = 0
    snapshots: int = 0
    signed_in_s: float = 0.0
    took_s: float = 0.0

    @property
    def performances(self) -> list[Performance]:
        """Those of both passes."""
        return [*self.plain, *self.with_reserve]


class Replay:
    """Plays a recording on one mesh. ``advance`` is called with each finished auction."""

    def __init__(
        self,
        *,
        blytz: Blytz,
        accounts: Accounts,
        options: ReplayOptions,
        advance: Callable[[Performance], None],
    ) -> None:
        self._blytz = blytz
        self._accounts = accounts
        self._options = options
        self._advance = advance
        self._sellers: Sequence[Session] = ()
        self._people: Sequence[Session] = ()

    async def run(self, auctions: Sequence[RecordedAuction]) -> ReplayResult:
        """Play all auctions; a second time, with a reserve, those that one would explain."""
        began_s = time.monotonic()
        casting = cast(auctions)
        await self._gather_people(casting, auctions)
        result = ReplayResult(plain=[], signed_in_s=time.monotonic() - began_s)
        result.plain = await self._play(auctions, casting, {})
        if self._options.reserves:
            again = [p.recorded for p in result.plain if p.suggests_reserve]
            reserves = {each.recorded_id: each.final_minor for each in again}
            result.with_reserve = await self._play(again, casting, reserves)
        await self._examine(result)
        result.took_s = time.monotonic() - began_s
        return result

    async def _gather_people(self, casting: Casting, auctions: Sequence[RecordedAuction]) -> None:
        """Sign in the sellers and the bidders, the latter with enough money to play each part."""
        # Auctions with a reserve are played again.
        passes = 2 if self._options.reserves else 1
        needed_minor = [passes * each for each in casting.needed_minor(auctions)]

        async def seller(number: int) -> Session:
            return await self._accounts.sign_in_seller(
                self._blytz, f"replay/seller {number}", display_name=f"Replay Seller {number}"
            )

        async def bidder(number: int) -> Session:
            session = await self._accounts.sign_in(
                self._blytz, f"replay/bidder {number}", display_name=f"Replay Bidder {number}"
            )
            await ensure_funds(
                session, needed_minor=needed_minor[number], currency_code=CURRENCY_CODE
            )
            return session

        async with asyncio.TaskGroup() as group:
            sellers = [group.create_task(seller(n)) for n in range(_SELLERS)]
            bidders = [group.create_task(bidder(n)) for n in range(casting.accounts)]
        self._sellers = [task.result() for task in sellers]
        self._people = [task.result() for task in bidders]

    async def _play(
        self,
        auctions: Sequence[RecordedAuction],
        casting: Casting,
        reserves: Mapping[str, int],
    ) -> list[Performance]:
        async def perform(number: int) -> Performance:
            recorded = auctions[number]
            parts = casting.parts[recorded.recorded_id]
            stage = Stage(
                blytz=self._blytz,
                seller=self._sellers[number % len(self._sellers)],
                people={bidder: self._people[account] for bidder, account in parts.items()},
                speed=self._options.speed,
                watched=self._options.watched,
            )
            performance = await stage.perform(
                recorded, reserve_minor=reserves.get(recorded.recorded_id)
            )
            self._advance(performance)
            return performance

        return await _bounded(perform, range(len(auctions)), self._options.at_once)

    async def _examine(self, result: ReplayResult) -> None:
        """Hold every acknowledgement against the bid lists, now that all is over."""

        async def examine(performance: Performance) -> Findings:
            async def listed() -> Findings:
                bids = [bid async for bid in self._blytz.list_bids(performance.auction_id)]
                return examine_bids(performance.acknowledged, reversed(bids))

            return await persist(listed)

        for findings in await _bounded(examine, result.performances, _EXAMINED_AT_ONCE):
            result.findings.add(findings)
        for performance in result.performances:
            if (witness := performance.witness) is not None:
                result.findings.add(witness.record.findings)
                result.reconnections += witness.reconnections
                # The first snapshot opens the feed; more of them stand in for updates.
                result.snapshots += witness.record.snapshots - 1


async def _bounded(
    work: Callable[[Item], Awaitable[Result]], items: Iterable[Item], at_once: int
) -> list[Result]:
    """Do the work for all items, in order, ``at_once`` of them at a time."""
    places = asyncio.Semaphore(at_once)

    async def one(item: Item) -> Result:
        async with places:
            return await work(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]
