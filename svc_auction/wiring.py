"""The only place that constructs svc_auction's concrete parts."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from blytz.auction.v1 import auction_service_pb2, show_service_pb2
from blytz.payment.v1.wallet_service_pb2_grpc import WalletServiceStub
from servicekit.main import Kit, Wiring
from servicekit.server import Rpc
from svc_auction.application.add_lot import AddLot
from svc_auction.application.block_bidder import BlockBidder
from svc_auction.application.bookmark_show import BookmarkShow
from svc_auction.application.cancel_auction import CancelAuction
from svc_auction.application.close_auction import CloseAuction
from svc_auction.application.confirmations import Confirmations
from svc_auction.application.create_auction import CreateAuction
from svc_auction.application.create_show import CreateShow
from svc_auction.application.end_show import EndShow
from svc_auction.application.issue_receipt import IssueReceipt
from svc_auction.application.open_next_lot import OpenNextLot
from svc_auction.application.pause_lot import PauseLot, ResumeLot
from svc_auction.application.place_bid import PlaceBid
from svc_auction.application.read_auctions import ReadAuctions
from svc_auction.application.read_shows import ReadShows
from svc_auction.application.reorder_lots import ReorderLots
from svc_auction.application.retract_bid import RetractBid
from svc_auction.application.schedule_auction import ScheduleAuction
from svc_auction.application.start_auction import StartAuction
from svc_auction.application.start_show import StartShow
from svc_auction.application.update_auction import UpdateAuction
from svc_auction.application.update_show import UpdateShow
from svc_auction.application.verify_bid_log import VerifyBidLog
from svc_auction.application.watch_auctions import WatchAuctions
from svc_auction.infrastructure import postgres_people
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.bid_lane import ShardLanes
from svc_auction.infrastructure.grpc_bidding import BiddingCalls
from svc_auction.infrastructure.grpc_lots import LotCalls
from svc_auction.infrastructure.grpc_people import PeopleCalls
from svc_auction.infrastructure.grpc_reading import ReadingCalls
from svc_auction.infrastructure.grpc_retracting import RetractingCalls
from svc_auction.infrastructure.grpc_selling import SellingCalls
from svc_auction.infrastructure.grpc_shows import ShowCalls
from svc_auction.infrastructure.grpc_trust import TrustCalls
from svc_auction.infrastructure.grpc_watching import WatchingCalls
from svc_auction.infrastructure.people_events import people_consumer
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.postgres_bid_log import PostgresBidLogs
from svc_auction.infrastructure.postgres_retractions import PostgresRetractions
from svc_auction.infrastructure.postgres_shows import PostgresShows
from svc_auction.infrastructure.postgres_watches import PostgresWatches
from svc_auction.infrastructure.public_reads import PublicReads
from svc_auction.infrastructure.read_cache import AnnouncementLoop, open_read_cache
from svc_auction.infrastructure.receipts import ReceiptKeys
from svc_auction.infrastructure.shards import open_shards, parse_open_shards, parse_shard_urls
from svc_auction.infrastructure.timekeeper import Timekeeper, catch_up
from svc_auction.infrastructure.wallet_power import WalletPower
from svc_auction.settings import AuctionSettings


@asynccontextmanager
async def wire(settings: AuctionSettings, kit: Kit) -> AsyncIterator[Wiring]:
    """Build the service for as long as the context is open."""
    async with (
        open_shards(
            parse_shard_urls(settings.shard_urls) or {0: settings.postgres_url},
            open_numbers=parse_open_shards(settings.open_shards),
            kafka_bootstrap=settings.kafka_bootstrap,
            pool_max=settings.postgres_pool_max,
            replica_urls=_replica_urls(settings),
        ) as shards,
        open_read_cache(settings.redis_url) as cache,
    ):
        aliases = Aliases(settings.alias_key)
        auctions = PostgresAuctions(shards=shards, aliases=aliases)
        read = ReadAuctions(auctions=auctions)
        power = WalletPower(shards=shards, wallet=kit.channels.stub(WalletServiceStub))
        lanes = ShardLanes(shards=shards, aliases=aliases)
        confirmations = Confirmations(settings.alias_key)
        auction_calls = (
            SellingCalls(
                create=CreateAuction(auctions=auctions),
                update=UpdateAuction(auctions=auctions),
                schedule=ScheduleAuction(auctions=auctions),
                start=StartAuction(auctions=auctions),
                close=CloseAuction(auctions=auctions),
                cancel=CancelAuction(auctions=auctions),
                aliases=aliases,
            ),
            BiddingCalls(
                place_bid=PlaceBid(lanes=lanes, power=power, confirmations=confirmations),
                aliases=aliases,
            ),
            _retracting_calls(PostgresRetractions(shards=shards, aliases=aliases), power),
            ReadingCalls(
                read=read,
                public=PublicReads(read=read, cache=cache, aliases=aliases),
                aliases=aliases,
            ),
            WatchingCalls(
                watch=WatchAuctions(auctions=auctions, watches=PostgresWatches(shards=shards)),
                aliases=aliases,
            ),
            _people_calls([postgres_people.ShardBlocks(shard) for shard in shards]),
            _trust_calls(PostgresBidLogs(shards=shards), auctions, settings, aliases),
        )
        yield Wiring(
            rpc=[
                (auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"], auction_calls),
                _show_rpc(PostgresShows(shards=shards, aliases=aliases), aliases),
            ],
            background=[
                power.run,
                AnnouncementLoop(sources=[s.announcements for s in shards], cache=cache).run,
                *(shard.relay.run for shard in shards),
                *(
                    people_consumer(shard, kafka_bootstrap=settings.kafka_bootstrap).run
                    for shard in shards
                ),
                *(Timekeeper(shard=shard, auctions=auctions).run for shard in shards),
            ],
            ready=[shards.check],
        )


def _replica_urls(settings: AuctionSettings) -> dict[int, str]:
    """Return the shards' replicas; the only shard's may be named as any service's is."""
    if settings.shard_urls or not settings.postgres_replica_url:
        return parse_shard_urls(settings.shard_replica_urls)
    return {0: settings.postgres_replica_url}


def _retracting_calls(retractions: PostgresRetractions, power: WalletPower) -> RetractingCalls:
    return RetractingCalls(retract_bid=RetractBid(retractions=retractions, power=power))


def _people_calls(shards: Sequence[postgres_people.ShardBlocks]) -> PeopleCalls:
    return PeopleCalls(block_bidder=BlockBidder(shards=shards))


def _show_rpc(shows: PostgresShows, aliases: Aliases) -> Rpc:
    calls = (
        ShowCalls(
            create=CreateShow(shows=shows),
            update=UpdateShow(shows=shows),
            start=StartShow(shows=shows),
            end=EndShow(shows=shows),
            read=ReadShows(shows=shows),
            bookmark=BookmarkShow(shows=shows),
            aliases=aliases,
        ),
        LotCalls(
            add=AddLot(shows=shows),
            reorder=ReorderLots(shows=shows),
            open_next=OpenNextLot(shows=shows),
            pause=PauseLot(shows=shows),
            resume=ResumeLot(shows=shows),
            aliases=aliases,
        ),
    )
    return show_service_pb2.DESCRIPTOR.services_by_name["ShowService"], calls


def _trust_calls(
    logs: PostgresBidLogs, auctions: PostgresAuctions, settings: AuctionSettings, aliases: Aliases
) -> TrustCalls:
    keys = (
        ReceiptKeys.read(Path(settings.receipt_keys_path))
        if settings.receipt_keys_path
        else ReceiptKeys.derived_from(settings.alias_key)
    )
    return TrustCalls(
        issue=IssueReceipt(auctions=auctions, logs=logs, signer=keys, clock_s=time.time),
        verify=VerifyBidLog(logs=logs),
        keys=keys,
        aliases=aliases,
    )


async def close_due(settings: AuctionSettings, kit: Kit, _arguments: Sequence[str]) -> int:
    """Start and end all that is due, once: the safety job beside the replicas' own timekeepers.

    A shard that is away stops no other; the exit code tells of it.
    """
    del kit
    async with open_shards(
        parse_shard_urls(settings.shard_urls) or {0: settings.postgres_url},
        open_numbers=frozenset(),
        kafka_bootstrap=settings.kafka_bootstrap,
        pool_max=settings.postgres_pool_max,
    ) as shards:
        auctions = PostgresAuctions(shards=shards, aliases=Aliases(settings.alias_key))
        return 0 if await catch_up(shards, auctions) else 1


async def copy_people(settings: AuctionSettings, kit: Kit, _arguments: Sequence[str]) -> int:
    """Tell every shard what the others know of people: to be run when a shard has joined."""
    del kit
    async with open_shards(
        parse_shard_urls(settings.shard_urls) or {0: settings.postgres_url},
        open_numbers=frozenset(),
        kafka_bootstrap=settings.kafka_bootstrap,
        pool_max=settings.postgres_pool_max,
    ) as shards:
        return 0 if await postgres_people.copy_people(shards) else 1
