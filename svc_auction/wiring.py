"""The only place that constructs svc_auction's concrete parts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from blytz.auction.v1 import auction_service_pb2
from blytz.payment.v1.wallet_service_pb2_grpc import WalletServiceStub
from servicekit.main import Kit, Wiring
from svc_auction.application.cancel_auction import CancelAuction
from svc_auction.application.close_auction import CloseAuction
from svc_auction.application.create_auction import CreateAuction
from svc_auction.application.place_bid import PlaceBid
from svc_auction.application.read_auctions import ReadAuctions
from svc_auction.application.schedule_auction import ScheduleAuction
from svc_auction.application.start_auction import StartAuction
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.bid_lane import ShardLanes
from svc_auction.infrastructure.grpc_service import AuctionGrpcService
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.shards import open_shards, parse_open_shards, parse_shard_urls
from svc_auction.infrastructure.timekeeper import BATCH_MAX, Timekeeper
from svc_auction.infrastructure.wallet_power import WalletPower
from svc_auction.settings import AuctionSettings


@asynccontextmanager
async def wire(settings: AuctionSettings, kit: Kit) -> AsyncIterator[Wiring]:
    """Build the service for as long as the context is open."""
    async with open_shards(
        parse_shard_urls(settings.shard_urls) or {0: settings.postgres_url},
        open_numbers=parse_open_shards(settings.open_shards),
        kafka_bootstrap=settings.kafka_bootstrap,
        pool_max=settings.postgres_pool_max,
    ) as shards:
        aliases = Aliases(settings.alias_key)
        auctions = PostgresAuctions(shards=shards, aliases=aliases)
        power = WalletPower(shards=shards, wallet=kit.channels.stub(WalletServiceStub))
        lanes = ShardLanes(shards=shards, aliases=aliases)
        service = AuctionGrpcService(
            create=CreateAuction(auctions=auctions),
            schedule=ScheduleAuction(auctions=auctions),
            start=StartAuction(auctions=auctions),
            close=CloseAuction(auctions=auctions),
            cancel=CancelAuction(auctions=auctions),
            place_bid=PlaceBid(lanes=lanes, power=power),
            read=ReadAuctions(auctions=auctions),
            aliases=aliases,
        )
        yield Wiring(
            rpc=[(auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"], service)],
            background=[
                power.run,
                *(shard.relay.run for shard in shards),
                *(Timekeeper(shard=shard, auctions=auctions).run for shard in shards),
            ],
            ready=[shards.check],
        )


async def close_due(settings: AuctionSettings, kit: Kit, _arguments: Sequence[str]) -> int:
    """Start and end all that is due, once: the safety job beside the replicas' own timekeepers."""
    del kit
    async with open_shards(
        parse_shard_urls(settings.shard_urls) or {0: settings.postgres_url},
        open_numbers=frozenset(),
        kafka_bootstrap=settings.kafka_bootstrap,
        pool_max=settings.postgres_pool_max,
    ) as shards:
        auctions = PostgresAuctions(shards=shards, aliases=Aliases(settings.alias_key))
        for shard in shards:
            while await Timekeeper(shard=shard, auctions=auctions).advance() == BATCH_MAX:
                pass
    return 0
