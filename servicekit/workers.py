"""Several processes of one service on one machine, each with ports of its own.

A shared port would balance connections, and the gateway has few; so each worker is an endpoint.
"""

import os
import signal
import subprocess
import sys
import time

from servicekit.settings import PREFIX, ServiceSettings


def run_workers(settings: ServiceSettings, *, role: str, count: int) -> int:
    """Run ``count`` workers of ``role`` until one ends or a signal comes; return the exit code.

    Worker ``i`` listens on the ports of the settings plus ``i``.
    """
    package = sys.modules["__main__"].__package__
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", str(package), role],
            env=os.environ
            | {
                PREFIX + "GRPC_ADDRESS": _shifted(settings.grpc_address, index),
                PREFIX + "ADMIN_ADDRESS": _shifted(settings.admin_address, index),
            },
        )
        for index in range(count)
    ]
    stopped = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True
        for worker in workers:
            worker.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while all(worker.poll() is None for worker in workers):
        time.sleep(0.1)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    codes = [worker.wait() for worker in workers]
    return 0 if stopped else max(codes) or 1


def _shifted(address: str, by: int) -> str:
    host, port = address.rsplit(":", maxsplit=1)
    return f"{host}:{int(port) + by}"
