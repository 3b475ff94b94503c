"""What a seller may choose for an auction, and the states and outcomes that it can have."""

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum


class Kind(IntEnum):
    ENGLISH = 1
    LIVE_LOT = 2
    SUDDEN_DEATH = 3
    DUTCH = 4
    SEALED_FIRST_PRICE = 5
    SEALED_SECOND_PRICE = 6


class Stage(IntEnum):
    DRAFT = 1
    SCHEDULED = 2
    LIVE = 3
    ENDED = 4
    CANCELLED = 5
    PAUSED = 6
    QUEUED = 7


class Result(IntEnum):
    NONE = 0
    SOLD = 1
    RESERVE_NOT_MET = 2
    NO_BIDS = 3
    CANCELLED = 4
    BOUGHT_NOW = 5


class Funds(IntEnum):
    WALLET = 1
    OPEN = 2
    CARD = 3


OPEN_STAGES = frozenset({Stage.LIVE, Stage.PAUSED, Stage.QUEUED})
ASCENDING = frozenset({Kind.ENGLISH, Kind.LIVE_LOT, Kind.SUDDEN_DEATH})
SEALED = frozenset({Kind.SEALED_FIRST_PRICE, Kind.SEALED_SECOND_PRICE})

DEFAULT_STEPS = (
    *((0, 5), (1_00, 25), (5_00, 50), (25_00, 1_00), (100_00, 2_50), (250_00, 5_00)),
    *((500_00, 10_00), (1_000_00, 25_00), (2_500_00, 50_00), (5_000_00, 100_00)),
)
LIVE_STEPS = (
    *((0, 1_00), (30_00, 2_00), (50_00, 3_00), (100_00, 5_00), (300_00, 10_00)),
    *((1_000_00, 20_00), (2_000_00, 50_00)),
)


@dataclass(frozen=True)
class Late:
    """The soft close: within what of the end a bid moves it, to when, how often, how far in all."""

    within: timedelta
    by: timedelta
    times: int
    latest: timedelta | None


@dataclass(frozen=True)
class Falling:
    """A falling price: by how much, how often, and where it stops."""

    drop: int
    every: timedelta
    floor: int


@dataclass(frozen=True)
class Rules:
    """What the seller chose. ``whole`` offers the buy-now price for the whole auction."""

    kind: Kind
    opening: int
    funds: Funds = Funds.OPEN
    reserve: int | None = None
    steps: tuple[tuple[int, int], ...] = ()
    late: Late | None = None
    buy_now: int | None = None
    whole: bool = False
    falling: Falling | None = None
    confirm_factor: int = 0

    @property
    def contradictory(self) -> bool:
        """Whether no auction can be held under these rules."""
        buy_now_wrong = self.buy_now is not None and (
            self.kind not in ASCENDING or self.buy_now < (self.reserve or self.opening)
        )
        dutch_wrong = (self.kind is Kind.DUTCH) != (self.falling is not None) or (
            self.falling is not None
            and (self.falling.floor > self.opening or self.reserve is not None)
        )
        late_wrong = self.late is not None and self.kind not in {Kind.ENGLISH, Kind.LIVE_LOT}
        reserve_wrong = self.reserve is not None and self.reserve < self.opening
        return buy_now_wrong or dutch_wrong or late_wrong or reserve_wrong

    @property
    def rows(self) -> tuple[tuple[int, int], ...]:
        """The ladder: from which price on the step is how large."""
        live = self.kind in {Kind.LIVE_LOT, Kind.SUDDEN_DEATH}
        return self.steps or (LIVE_STEPS if live else DEFAULT_STEPS)

    def step(self, price: int) -> int:
        """Return the step of the last row that begins at or below a price."""
        return [step for begins, step in self.rows if begins <= price][-1]
