"""What tests of servicekit's RPCs call: a scripted AuctionService behind a real server."""

from dataclasses import dataclass
from typing import Any

import grpc

from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from fakes.mesh import bearer, mint_token
from fakes.scripted_service import ScriptedService
from fakes.token_mint import TokenMint
from kernel.ids import new_id


@dataclass(frozen=True)
class Served:
    """The script, where it is served, and a channel with the gateway's certificate."""

    script: ScriptedService
    address: str
    channel: grpc.aio.Channel
    mint: TokenMint

    @property
    def stub(self) -> Any:
        return AuctionServiceStub(self.channel)

    def person(self, *roles: str) -> list[tuple[str, str]]:
        return bearer(mint_token(self.mint, new_id(), *roles))
