"""Runs all parts together: up in dependency order, kept alive, down in reverse."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from stack.keeper import Keeper
from stack.part import Part


class Supervisor:
    """Owns a keeper a part.

    `on_change` is called, on the loop, whenever a part enters another state.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        *,
        log_folder: Path,
        on_change: Callable[[Keeper], None] = lambda _keeper: None,
    ) -> None:
        self.keepers: dict[str, Keeper] = {}
        for part in parts:
            # A part may only need parts named before it: so there are no circles.
            self.keepers[part.name] = Keeper(
                part,
                needs=[self.keepers[name] for name in part.needs],
                log_path=log_folder / f"{part.name}.log",
                on_change=on_change,
            )

    @property
    def is_ready(self) -> bool:
        """Whether every part can serve."""
        return all(keeper.ready.is_set() for keeper in self.keepers.values())

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set; raise PartFailed when a part cannot be brought up.

        All parts are stopped when this returns or raises.
        """
        tasks = [asyncio.create_task(keeper.keep()) for keeper in self.keepers.values()]
        stop_request = asyncio.create_task(stopping.wait())
        try:
            done, _ = await asyncio.wait(
                [*tasks, stop_request], return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            for task in (*tasks, stop_request):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, stop_request, return_exceptions=True)
            await self._stop_in_reverse()

    def kill(self) -> None:
        """End everything at once: what a second Ctrl-C asks for."""
        for keeper in self.keepers.values():
            keeper.kill()

    async def _stop_in_reverse(self) -> None:
        """Stop the parts nobody needs any more, together, until none is left."""
        left = dict(self.keepers)
        while left:
            needed = {need.part.name for keeper in left.values() for need in keeper.needs}
            leaving = [keeper for name, keeper in left.items() if name not in needed]
            await asyncio.gather(*(keeper.stop() for keeper in leaving))
            for keeper in leaving:
                del left[keeper.part.name]
