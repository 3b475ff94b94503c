"""Runs the stand-in: `python -m stack.stripe_standin --port PORT --webhook-url URL`.

Secrets are taken from options or, better, from `STRIPE_STANDIN_WEBHOOK_SECRET` and
`STRIPE_STANDIN_API_KEY`.
"""

import argparse
import logging
import os
from pathlib import Path

from aiohttp import web

from stack.ports import LOOPBACK
from stack.stripe_standin.application import StripeStandin
from stack.stripe_standin.faults import Faults
from stack.stripe_standin.store import Store
from stack.stripe_standin.webhooks import WebhookSender

_GRACE_S = 1.0


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="stripe_standin", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--webhook-url", default="", help="where events go; empty: nowhere")
    parser.add_argument(
        "--webhook-secret", default=os.environ.get("STRIPE_STANDIN_WEBHOOK_SECRET", "")
    )
    parser.add_argument("--api-key", default=os.environ.get("STRIPE_STANDIN_API_KEY", ""))
    parser.add_argument("--data", type=Path, help="the SQLite file that remembers")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    store, faults = Store(options.data), Faults()
    webhooks = (
        WebhookSender(
            store=store, faults=faults, url=options.webhook_url, secret=options.webhook_secret
        )
        if options.webhook_url
        else None
    )
    standin = StripeStandin(store=store, faults=faults, webhooks=webhooks, api_key=options.api_key)
    web.run_app(
        standin.application(),
        host=LOOPBACK,
        port=options.port,
        print=None,
        access_log=None,
        shutdown_timeout=_GRACE_S,
    )


if __name__ == "__main__":
    main()
