"""Whatever the log, the replicas and the viewers do: 1..n exactly once, or a snapshot."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.auction_world import AUCTION_ID, AuctionWorld, WorldSource
from fakes.feed_client import FeedClient
from svc_realtime.application.hub import Hub
from svc_realtime.application.limits import HubLimits
from svc_realtime.application.viewer import Viewer
from svc_realtime.domain.history import HistoryLimits
from svc_realtime.infrastructure.frame_codec import ProtobufFrameCodec

LIMITS = HubLimits(
    frame_interval_s=0.0,
    frame_updates_max=6,
    viewer_buffer_bytes_max=1_500,
    catch_up_s=0.0,
    history=HistoryLimits(updates_max=12, bytes_max=8_000),
)
REPLICAS = 2
VIEWERS = 3

operations = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(1, 6)),
        st.tuples(st.just("publish"), st.integers(0, REPLICAS - 1), st.integers(1, 8)),
        st.tuples(st.just("lose"), st.integers(0, REPLICAS - 1), st.integers(1, 3)),
        st.tuples(st.just("repeat"), st.integers(0, REPLICAS - 1), st.integers(1, 9)),
        st.tuples(st.just("restart"), st.integers(0, REPLICAS - 1), st.integers(0, 5)),
        st.tuples(st.just("connect"), st.integers(0, VIEWERS - 1), st.integers(0, REPLICAS - 1)),
        st.tuples(st.just("break"), st.integers(0, VIEWERS - 1)),
        st.tuples(st.just("read"), st.integers(0, VIEWERS - 1)),
        st.tuples(st.just("lag"), st.integers(0, 3)),
        st.tuples(st.just("sweep"), st.integers(0, REPLICAS - 1)),
        st.tuples(st.just("wait"), st.integers(1, 12)),
    ),
    max_size=60,
)


@dataclass
class Replica:
    hub: Hub
    published: int


@dataclass
class Watcher:
    client: FeedClient
    viewer: Viewer | None = None
    replica: int = 0


@dataclass
class Scene:
    """A world, replicas that read its log, and people who watch."""

    world: AuctionWorld = field(default_factory=lambda: AuctionWorld().live(bids=1))

    def __post_init__(self) -> None:
        self.source = WorldSource(self.world)
        self.replicas = [Replica(self._hub(), self.world.last) for _ in range(REPLICAS)]
        self.watchers = [Watcher(FeedClient(self.world)) for _ in range(VIEWERS)]

    def _hub(self) -> Hub:
        return Hub(
            source=self.source,
            codec=ProtobufFrameCodec(),
            limits=LIMITS,
            observe_staleness=lambda _seconds: None,
        )

    def commit(self, count: int) -> None:
        for number in range(count):
            self.world.extend() if number % 4 == 3 else self.world.bid()

    def publish(self, index: int, count: int) -> None:
        replica = self.replicas[index]
        end = min(self.world.last, replica.published + count)
        if end > replica.published:
            replica.hub.receive(self.world.changes(replica.published, end))
            replica.published = end

    def lose(self, index: int, count: int) -> None:
        replica = self.replicas[index]
        replica.published = min(self.world.last, replica.published + count)

    def repeat(self, index: int, back: int) -> None:
        replica = self.replicas[index]
        start = max(1, replica.published - back)
        if start < replica.published:
            replica.hub.receive(self.world.changes(start, replica.published))

    async def restart(self, index: int, back: int) -> None:
        replica = self.replicas[index]
        replica.hub.drain()
        for watcher in self.watchers:
            if watcher.viewer is not None and watcher.replica == index:
                watcher.client.drain(watcher.viewer)
                self.disconnect(watcher)
        await replica.hub.close()
        self.replicas[index] = Replica(self._hub(), max(1, replica.published - back))

    def connect(self, number: int, index: int) -> None:
        watcher = self.watchers[number]
        self.disconnect(watcher)
        watcher.client.reopened()
        watcher.replica = index
        watcher.viewer = self.replicas[index].hub.watch(
            AUCTION_ID, resume_from=watcher.client.position
        )

    def disconnect(self, watcher: Watcher) -> None:
        if watcher.viewer is not None:
            watcher.viewer.leave()
            watcher.viewer = None

    def read(self, number: int) -> None:
        watcher = self.watchers[number]
        if watcher.viewer is not None:
            watcher.client.drain(watcher.viewer)
            assert watcher.viewer.error is None or not watcher.client.frames

    async def play(self, name: str, *arguments: int) -> None:
        match name:
            case "commit" | "publish" | "lose" | "repeat" | "connect" | "read":
                getattr(self, name)(*arguments)
            case "restart":
                await self.restart(*arguments)
            case "break":
                self.disconnect(self.watchers[arguments[0]])
            case "lag":
                self.source.lag = arguments[0]
            case "sweep":
                self.replicas[arguments[0]].hub.sweep()
            case "wait":
                for _ in range(arguments[0]):
                    await asyncio.sleep(0)

    async def heal(self) -> None:
        """Let everything arrive: whoever watches then must have all of it."""
        self.source.lag = 0
        for index in range(REPLICAS):
            self.commit(1)
            self.replicas[index].published = min(self.replicas[index].published, self.world.last)
            self.publish(index, self.world.last)
        self.publish(0, self.world.last)
        for number, watcher in enumerate(self.watchers):
            if watcher.viewer is None or watcher.viewer.error is not None:
                self.connect(number, number % REPLICAS)
        async with asyncio.timeout(3):
            while any(w.client.position != (1, self.world.last) for w in self.watchers):
                await asyncio.sleep(0.001)
                for number in range(VIEWERS):
                    self.read(number)
        for replica in self.replicas:
            await replica.hub.close()


@settings(max_examples=150, deadline=None)
@given(operations)
def test_each_viewer_sees_every_event_once_or_a_snapshot(script: list[tuple[str, int]]) -> None:
    async def run() -> None:
        scene = Scene()
        for name, *arguments in script:
            await scene.play(name, *arguments)
        await scene.heal()

    asyncio.run(run())
