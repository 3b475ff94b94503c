"""The stand-in of Stripe's API, a process of its own, so that deposits work without the network."""

import sys
from pathlib import Path

from stack.layout import PROJECT_ROOT, python_path
from stack.part import Part, probe_http
from stack.ports import LOOPBACK
from stack.process import Command
from stack.secret import Secret


class StripeStandin(Part):
    """Remembers its objects in a file, so that it answers the same after a restart."""

    name = "stripe"

    def __init__(self, *, folder: Path, port: int, webhook_url: str, secret: Secret) -> None:
        self._data_path = folder / "objects.sqlite"
        self._port = port
        self._webhook_url = webhook_url
        self.address = f"{LOOPBACK}:{port}"
        self.api_base = f"http://{self.address}"
        self.api_key = f"sk_test_{secret.derive('stripe/key')[:24]}"
        self.webhook_secret = f"whsec_{secret.derive('stripe/webhook')[:32]}"

    def command(self) -> Command:
        """Run the server; its secrets travel in the environment, a command line is public."""
        return Command(
            argv=(
                *(sys.executable, "-m", "stack.stripe_standin", "--port", str(self._port)),
                *("--webhook-url", self._webhook_url, "--data", str(self._data_path)),
            ),
            environment={
                "PYTHONPATH": python_path(),
                "PYTHONUNBUFFERED": "1",
                "STRIPE_STANDIN_WEBHOOK_SECRET": self.webhook_secret,
                "STRIPE_STANDIN_API_KEY": self.api_key,
            },
            directory=PROJECT_ROOT,
            grace_s=5.0,
        )

    async def probe(self) -> None:
        """Be ready when the control door answers."""
        await probe_http(f"{self.api_base}/_control")
