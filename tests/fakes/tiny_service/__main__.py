"""The smallest service that ``servicekit.main`` runs: scripted RPCs, a loop, a role."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from blytz.auction.v1 import auction_pb2, auction_service_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from fakes.scripted_service import ScriptedService
from kernel.errors import DependencyUnavailable
from servicekit.call import Call
from servicekit.main import Kit, Service, Wiring, main
from servicekit.settings import ServiceSettings, SettingsError

AUCTION = auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class TinySettings(ServiceSettings):
    """``word`` is the title of every auction; the answer takes ``slow_s`` seconds."""

    word: str
    slow_s: float = 0.0

    def __post_init__(self) -> None:
        if self.word == "forbidden":
            raise SettingsError("BLYTZ_WORD must not be that")


@asynccontextmanager
async def wire(settings: TinySettings, kit: Kit) -> AsyncIterator[Wiring]:
    """Answer each GetAuction with the word; be ready once the loop has turned."""
    turned = asyncio.Event()

    async def answer(_request: Any, _call: Call) -> messages.GetAuctionResponse:
        log.info("answering")
        await asyncio.sleep(settings.slow_s)
        return messages.GetAuctionResponse(auction=auction_pb2.Auction(title=settings.word))

    async def turn() -> None:
        turned.set()
        await kit.stopping.wait()
        await asyncio.sleep(60)

    async def has_turned() -> None:
        if not turned.is_set():
            raise DependencyUnavailable(dependency="loop")

    async def keys() -> bytes:
        return b'{"keys": []}'

    script = ScriptedService(AUCTION)
    script.scripts["GetAuction"] = answer
    yield Wiring(rpc=[(AUCTION, script)], background=[turn], ready=[has_turned], jwks=keys)
    log.info("unwired")


async def say(settings: TinySettings, kit: Kit, arguments: Sequence[str]) -> int:
    """Log the word and the arguments; end with their number."""
    del kit
    log.info("said", word=settings.word, arguments=list(arguments))
    return len(arguments)


if __name__ == "__main__":
    main(Service(name="tiny", settings=TinySettings, wire=wire, roles={"say": say}))
