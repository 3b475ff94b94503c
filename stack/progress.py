"""Shows on the terminal how the mesh comes up, from the states that the supervisor writes."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.panel import Panel
from rich.status import Status
from rich.table import Table

_SPINNER = "dots"


class Progress:
    """Prints a line a part that comes up, falls, or comes back; between them, who is awaited."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._ready: set[str] = set()
        self._restarts: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._status = self._console.status("Starting", spinner=_SPINNER)
        self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.rest()

    def update(self, state: Mapping[str, Any]) -> None:
        """Show what is new since the last state."""
        parts: Mapping[str, Mapping[str, Any]] = state["parts"]
        for name, part in parts.items():
            self._show_part(name, part)
        awaited = [name for name, part in parts.items() if not part["ready"]]
        if self._status is not None and awaited:
            self._status.update(f"Waiting for {', '.join(awaited)}")

    def banner(self, state: Mapping[str, Any], *, took_s: float, stop_with: str) -> None:
        """End the spinner and say where everything is."""
        self.rest()
        table = Table.grid(padding=(0, 2))
        edge_url = state["edge_url"]
        table.add_row("Page", f"[link={edge_url}]{edge_url}[/link]")
        table.add_row("gRPC, JSON", edge_url)
        table.add_row("Data", state["data_dir"])
        table.add_row("Stop", stop_with)
        title = f"Blytz is up after {took_s:.1f} s"
        self._console.print(Panel(table, title=title, border_style="green", expand=False))

    def rest(self) -> None:
        """End the spinner."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _show_part(self, name: str, part: Mapping[str, Any]) -> None:
        if part["restarts"] > self._restarts.get(name, 0):
            self._restarts[name] = part["restarts"]
            self._ready.discard(name)
            self._console.print(f"[red]✗[/red] {part['last_words']}", highlight=False)
        if part["ready"] and name not in self._ready:
            self._ready.add(name)
            again = " again" if self._restarts.get(name) else ""
            self._console.print(
                f"[green]✓[/green] {name:<11}{part['ready_after_s']:5.1f} s  "
                f"[dim]{part['address']}[/dim]{again}",
                highlight=False,
            )
