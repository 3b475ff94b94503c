"""Starts svc_auction: ``serve``, ``migrate``, and ``close-due`` as a job."""

from servicekit.main import Service, main
from svc_auction.settings import AuctionSettings
from svc_auction.wiring import close_due, wire

SERVICE = Service(
    name="auction",
    settings=AuctionSettings,
    wire=wire,
    migrations="svc_auction.infrastructure.migrations",
    roles={"close-due": close_due},
)

if __name__ == "__main__":
    main(SERVICE)
