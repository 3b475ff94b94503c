"""Starts svc_auction: ``serve``, ``migrate``, and the jobs ``close-due`` and ``copy-people``."""

from servicekit.main import Service, main
from svc_auction.settings import AuctionSettings
from svc_auction.wiring import close_due, copy_people, wire

SERVICE = Service(
    name="auction",
    settings=AuctionSettings,
    wire=wire,
    migrations="svc_auction.infrastructure.migrations",
    roles={"close-due": close_due, "copy-people": copy_people},
)

if __name__ == "__main__":
    main(SERVICE)
