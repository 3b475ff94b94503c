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

replica = st.integers(0, REPLICAS - 1)
viewer = st.integers(0, VIEWERS - 1)
fate = st.sampled_from(["deliver", "deliver", "deliver", "lose", "hold"])
operations = st.lists(
    st.one_of(
        st.tuples(st.just("event"), fate, fate),
        st.tuples(st.just("event"), fate, fate),
        st.tuples(st.just("burst"), st.integers(2, 15)),
        st.tuples(st.just("repeat"), replica, st.integers(1, 9)),
        st.tuples(st.just("restart"), replica, st.integers(0, 5)),
        st.tuples(st.just("connect"), viewer, replica),
        st.tuples(st.just("newcomer"), viewer, replica),
        st.tuples(st.just("cut"), viewer),
        st.tuples(st.just("stall"), viewer),
        st.tuples(st.just("lag"), st.integers(0, 3)),
        st.tuples(st.just("sweep"), replica),
        st.tuples(st.just("wait"), st.integers(1, 12)),
    ),
    min_size=5,
    max_size=60,
)


@dataclass
class Replica:
    """A hub, and the events that the log holds back from it."""

    hub: Hub
    held: list[int] = field(default_factory=list)


@dataclass
class Watcher:
    """A client that reads after each step, unless it stalls."""

    client: FeedClient
    viewer: Viewer | None = None
    replica: int = 0
    stalled: bool = False


class Scene:
    """A world, replicas that read its log, and people who watch."""

    def __init__(self) -> None:
        self.world = AuctionWorld().live(bids=1)
        self.source = WorldSource(self.world)
        self.replicas = [Replica(self._hub()) for _ in range(REPLICAS)]
        self.watchers = [Watcher(FeedClient(self.world)) for _ in range(VIEWERS)]
        for number in range(VIEWERS):
            self.connect(number, number % REPLICAS)

    def _hub(self) -> Hub:
        return Hub(
            source=self.source,
            codec=ProtobufFrameCodec(),
            limits=LIMITS,
            observe_staleness=lambda _seconds: None,
        )

    def event(self, *fates: str) -> None:
        """Commit an event; each replica's log delivers it, loses it, or holds it back."""
        self.world.extend() if self.world.last % 4 == 3 else self.world.bid()
        for replica, fate in zip(self.replicas, fates, strict=True):
            if fate == "hold":
                replica.held.append(self.world.last)
            elif fate == "deliver":
                numbers = [*replica.held, self.world.last]
                replica.held = []
                replica.hub.receive([self.world.change(number) for number in numbers])

    def burst(self, count: int) -> None:
        for _ in range(count):
            self.event("deliver", "deliver")

    def repeat(self, index: int, back: int) -> None:
        end = self.replicas[index].held[0] - 1 if self.replicas[index].held else self.world.last
        self.replicas[index].hub.receive(self.world.changes(max(1, end - back), end))

    async def restart(self, index: int, back: int) -> None:
        """Drain a replica and start another, which reads the log from a little back."""
        old = self.replicas[index]
        old.hub.drain()
        for watcher in self.watchers:
            if watcher.viewer is not None and watcher.replica == index:
                watcher.client.drain(watcher.viewer)
                self.cut(self.watchers.index(watcher))
        await old.hub.close()
        self.replicas[index] = Replica(self._hub())
        if back:
            self.replicas[index].hub.receive(
                self.world.changes(max(1, self.world.last - back), self.world.last)
            )

    def connect(self, number: int, index: int) -> None:
        self.cut(number)
        watcher = self.watchers[number]
        watcher.client.reopened()
        watcher.replica = index
        watcher.stalled = False
        watcher.viewer = self.replicas[index].hub.watch(
            AUCTION_ID, resume_from=watcher.client.position
        )

    def newcomer(self, number: int, index: int) -> None:
        self.cut(number)
        self.watchers[number].client = FeedClient(self.world)
        self.connect(number, index)

    def cut(self, number: int) -> None:
        watcher = self.watchers[number]
        if watcher.viewer is not None:
            watcher.viewer.leave()
            watcher.viewer = None

    def stall(self, number: int) -> None:
        self.watchers[number].stalled = not self.watchers[number].stalled

    def lag(self, events: int) -> None:
        self.source.lag = events

    def sweep(self, index: int) -> None:
        self.replicas[index].hub.sweep()

    async def wait(self, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    def read(self) -> None:
        for watcher in self.watchers:
            if watcher.viewer is not None and not watcher.stalled:
                watcher.client.drain(watcher.viewer)

    async def heal(self) -> None:
        """Let everything arrive: whoever watches then must have all of it."""
        self.source.lag = 0
        for number, watcher in enumerate(self.watchers):
            watcher.stalled = False
            if watcher.viewer is None or watcher.viewer.error is not None:
                self.connect(number, number % REPLICAS)
        self.event("deliver", "deliver")
        async with asyncio.timeout(3):
            while any(w.client.position != (1, self.world.last) for w in self.watchers):
                await asyncio.sleep(0.001)
                self.read()
        for replica in self.replicas:
            await replica.hub.close()


@settings(max_examples=200, deadline=None)
@given(operations)
def test_each_viewer_sees_every_event_once_or_a_snapshot(
    script: list[tuple[str, *tuple[int | str, ...]]],
) -> None:
    async def run() -> None:
        scene = Scene()
        await scene.wait(12)
        for name, *arguments in script:
            outcome = getattr(scene, name)(*arguments)
            if outcome is not None:
                await outcome
            scene.read()
            await scene.wait(2)
        await scene.heal()

    asyncio.run(run())
