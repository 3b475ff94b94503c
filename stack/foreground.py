"""One stack from its start to its end, in this process."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

from stack.certificates import ensure_certificates
from stack.failure import CommandFailed
from stack.keeper import Keeper
from stack.mesh import MeshPlanner
from stack.options import Options
from stack.part import PartFailed
from stack.ports import PortReservations, PortTaken, require_free
from stack.secret import Secret
from stack.state import AlreadyRunning, StateFile, held_lock
from stack.supervisor import Supervisor

StateListener = Callable[[dict[str, Any]], None]


async def run_stack(options: Options, *, on_state: StateListener) -> None:
    """Run the mesh until a signal ends it; raise CommandFailed when it cannot stay up.

    `on_state` gets the state whenever a part changes.
    """
    layout = options.layout
    layout.create()
    try:
        with held_lock(layout), PortReservations() as ports:
            if options.edge_port:
                require_free(options.edge_port, host=options.edge_host)
            ensure_certificates(layout.tls)
            secret = Secret.load(layout.secret_path)
            mesh = MeshPlanner(options, ports=ports, secret=secret).plan()
            state_file = StateFile(layout, mesh)
            supervisor: Supervisor

            def note(_keeper: Keeper) -> None:
                on_state(state_file.write(supervisor.keepers))

            supervisor = Supervisor(mesh.parts, log_folder=layout.logs, on_change=note)
            try:
                await _until_signalled(supervisor)
            finally:
                layout.state_path.unlink(missing_ok=True)
    except PortTaken as taken:
        raise CommandFailed(
            f"Port {taken.port} is taken by another program; choose another with "
            f"`blytz up --port {taken.port + 1}`, or `--port 0` for a free one."
        ) from taken
    except (PartFailed, AlreadyRunning) as failure:
        raise CommandFailed(str(failure)) from failure


async def _until_signalled(supervisor: Supervisor) -> None:
    """Run until SIGINT or SIGTERM; the second one ends everything at once."""
    stopping = asyncio.Event()

    def stop() -> None:
        if stopping.is_set():
            supervisor.kill()
        stopping.set()

    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        await supervisor.run(stopping)
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
