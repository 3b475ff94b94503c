"""The lots of one market with its people, money and shows: who may do what, as the rules say."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fakes.auction_model import Accepted, Lot
from fakes.auction_model_rules import SEALED, Funds, Kind, Rules, Stage

EARLY = timedelta(hours=12)
WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Wish:
    """A maximum that somebody wants to bid, or the price at which they want to buy at once."""

    bidder: str
    lot: str
    maximum: int
    currency: str = "USD"
    confirmed: bool = False
    buys: bool = False


@dataclass(frozen=True)
class Answer:
    """Why something is refused, or nothing; ``facts`` are what the refusal tells."""

    reason: str = ""
    facts: tuple[tuple[str, int | str], ...] = ()

    @classmethod
    def no(cls, reason: str, **facts: int | str) -> "Answer":
        return cls(reason, tuple(sorted(facts.items())))


YES = Answer()


@dataclass
class Show:
    """A live show: its lots in order, and the most that one bidder may be committed to."""

    seller: str
    limit: int | None
    stage: str = "SCHEDULED"
    lots: list[str] = field(default_factory=list)


@dataclass
class Market:
    """All that there is; ``money`` is what each bidder brought, ``cards`` who has a card."""

    money: Counter[str]
    cards: set[str]
    lots: dict[str, Lot] = field(default_factory=dict)
    shows: dict[str, Show] = field(default_factory=dict)
    blocked: set[tuple[str, str]] = field(default_factory=set)

    def held(self, bidder: str) -> int:
        return sum(lot.held(bidder) for lot in self.lots.values())

    def spent(self, bidder: str) -> int:
        """Return what a bidder has paid out of the wallet for what they won."""
        won = [lot for lot in self.lots.values() if lot.won_by(bidder)]
        return sum(lot.price for lot in won if lot.rules.funds is Funds.WALLET)

    def free(self, bidder: str) -> int:
        return self.money[bidder] - self.spent(bidder) - self.held(bidder)

    def committed(self, show: str, bidder: str) -> int:
        """Return what a bidder leads with, has sealed and has won in a show."""
        lots = [lot for lot in self.lots.values() if lot.show == show]
        won = sum(lot.price for lot in lots if lot.won_by(bidder))
        return won + sum(lot.counted(bidder) for lot in lots)

    def is_purchase(self, wish: Wish) -> bool:
        """Say whether a wish that is granted ends the lot at the buy-now price."""
        rules = self.lots[wish.lot].rules
        reaches = rules.buy_now is not None and rules.whole and wish.maximum >= rules.buy_now
        return wish.buys or reaches

    def answer(self, wish: Wish, now: datetime) -> Answer:
        """Return what a wish is answered at a moment."""
        lot = self.lots.get(wish.lot)
        if lot is None:
            return Answer.no("AUCTION_NOT_FOUND")
        for refusal in (
            self._who(lot, wish),
            self._amount(lot, wish, now),
            self._limit(lot, wish, now),
            self._funded(lot, wish, now),
        ):
            if refusal.reason:
                return refusal
        return YES

    def _who(self, lot: Lot, wish: Wish) -> Answer:  # noqa: PLR0911 - a case each
        stage = lot.stage
        ahead = stage is Stage.QUEUED and lot.rules.kind is not Kind.DUTCH
        if stage is Stage.ENDED:
            return Answer.no("AUCTION_ENDED")
        if stage is Stage.DRAFT and wish.bidder != lot.seller:
            return Answer.no("AUCTION_NOT_FOUND")
        if stage is not Stage.LIVE and not ahead:
            return Answer.no("AUCTION_NOT_LIVE", state=stage.name)
        if wish.bidder == lot.seller:
            return Answer.no("OWN_AUCTION")
        if wish.currency != "USD":
            return Answer.no("CURRENCY_MISMATCH", currency_code="USD")
        if (lot.seller, wish.bidder) in self.blocked:
            return Answer.no("BIDDER_BLOCKED")
        return YES

    def _amount(self, lot: Lot, wish: Wish, now: datetime) -> Answer:
        if wish.buys:
            if not lot.buy_now_offered:
                return Answer.no("BUY_NOW_UNAVAILABLE")
            price = lot.rules.buy_now or 0
            wrong = wish.maximum != price
            return Answer.no("BUY_NOW_UNAVAILABLE", price_minor=price) if wrong else YES
        own, asking = lot.counted(wish.bidder), lot.asking(now)
        if own and wish.maximum <= own:
            return Answer.no("MAXIMUM_NOT_RAISED", maximum_minor=own)
        if wish.maximum < asking:
            return Answer.no("BID_TOO_LOW", minimum_minor=asking)
        price = asking if lot.rules.kind is Kind.DUTCH else lot.shown_price
        factor = lot.rules.confirm_factor
        if factor and not wish.confirmed and wish.maximum > factor * price:
            return Answer.no("CONFIRM_LARGE_BID", price_minor=price)
        return YES

    def _needed(self, lot: Lot, wish: Wish, now: datetime) -> int:
        if self.is_purchase(wish):
            return lot.rules.buy_now or 0
        return lot.falling_price(now) if lot.rules.kind is Kind.DUTCH else wish.maximum

    def _limit(self, lot: Lot, wish: Wish, now: datetime) -> Answer:
        if lot.limit is None:
            return YES
        others = self.committed(lot.show, wish.bidder) - lot.counted(wish.bidder)
        left = max(0, lot.limit - others)
        if self._needed(lot, wish, now) > left:
            return Answer.no("BIDDER_LIMIT_EXCEEDED", limit_minor=lot.limit, left_minor=left)
        return YES

    def _funded(self, lot: Lot, wish: Wish, now: datetime) -> Answer:
        """Even a maximum that will lose must be covered: it moves the price that others pay."""
        funds = lot.rules.funds
        if funds is Funds.CARD and wish.bidder not in self.cards:
            return Answer.no("CARD_MISSING")
        if funds is not Funds.WALLET:
            return YES
        missing = self._needed(lot, wish, now) - self.free(wish.bidder) - lot.held(wish.bidder)
        return Answer.no("INSUFFICIENT_FUNDS", shortfall_minor=missing) if missing > 0 else YES

    def accept(self, wish: Wish, at: datetime, bid_id: str) -> bool:
        """Enter a granted wish; return whether it ended the lot."""
        lot, bought = self.lots[wish.lot], self.is_purchase(wish)
        lot.accepted.append(Accepted(wish.bidder, wish.maximum, at, bid_id, bought))
        ended = bought or lot.rules.kind is Kind.DUTCH
        if ended:
            lot.ended_at = at
        return ended

    def retractable(  # noqa: PLR0911 - a case each
        self, lot: Lot, bidder: str, bid_id: str, now: datetime, *, described: bool
    ) -> tuple[Answer, list[Accepted]]:
        """Return whether a bid may be taken back, and what goes with it."""
        if lot.stage is Stage.ENDED:
            return Answer.no("AUCTION_ENDED"), []
        if not lot.is_open:
            # Nobody but the seller sees a draft.
            hidden = lot.stage is Stage.DRAFT
            return Answer.no("AUCTION_NOT_FOUND" if hidden else "AUCTION_NOT_LIVE"), []
        own = [bid for bid in lot.standing if bid.bidder == bidder]
        named = [bid for bid in own if bid.bid_id == bid_id]
        if not named:
            return Answer.no("BID_NOT_FOUND"), []
        if described and not (lot.described_at and lot.described_at > named[0].at):
            return Answer.no("RETRACTION_NOT_ALLOWED"), []
        end, _ = lot.end
        clock = lot.pauses[-1][0] if lot.stage is Stage.PAUSED else now
        if end is None or end - clock >= EARLY:
            return YES, own
        if named[0] is not own[-1] or now - named[0].at > WITHIN:
            return Answer.no("RETRACTION_NOT_ALLOWED"), []
        return YES, named

    def lapsed(self, lot_id: str, gone: list[Accepted]) -> list[Accepted]:
        """Return the bids of those who would lead without some, one after another, and cannot."""
        lot = self.lots[lot_id]
        lapsed: list[Accepted] = []
        while True:
            left = [bid for bid in lot.standing if bid not in gone and bid not in lapsed]
            heir = replace(lot, accepted=left).top
            if heir is None or lot.rules.kind in SEALED or heir.bidder == lot.leader:
                return lapsed
            committed = self.committed(lot.show, heir.bidder)
            limited = lot.limit is not None and committed + heir.maximum > lot.limit
            unpaid = lot.rules.funds is Funds.WALLET and heir.maximum > self.free(heir.bidder)
            if not limited and not unpaid:
                return lapsed
            lapsed += [bid for bid in left if bid.bidder == heir.bidder]

    def add_lot(self, show_id: str, lot_id: str, rules: Rules) -> Lot:
        """Put a lot at the end of a show's queue."""
        show = self.shows[show_id]
        show.lots.append(lot_id)
        lot = Lot(rules, show.seller, show=show_id, limit=show.limit, queued=True)
        self.lots[lot_id] = lot
        return lot

    def show_answer(self, show_id: str, method: str) -> tuple[Answer, str]:
        """Return what a command to a show is answered, and which lot it is about."""
        show = self.shows[show_id]
        up = [i for i in show.lots if self.lots[i].stage in {Stage.LIVE, Stage.PAUSED}]
        waiting = [i for i in show.lots if self.lots[i].stage is Stage.QUEUED]
        needed = {"StartShow": {"SCHEDULED"}, "EndShow": {"SCHEDULED", "LIVE"}}
        if show.stage not in needed.get(method, {"LIVE"}):
            return Answer.no("SHOW_STATE_INVALID"), ""
        if method in {"StartShow", "EndShow"}:
            return YES, ""
        if method == "OpenNextLot":
            refusal = "LOT_OPEN" if up else "" if waiting else "NO_LOT_QUEUED"
            return Answer(refusal), "" if refusal else waiting[0]
        if not up:
            return Answer.no("NO_LOT_OPEN"), ""
        wanted = Stage.LIVE if method == "PauseLot" else Stage.PAUSED
        fits = self.lots[up[0]].stage is wanted
        return YES if fits else Answer.no("STATE_TRANSITION_INVALID"), up[0]

    def end_lots(self, show_id: str, at: datetime) -> None:
        """Close the lot that is up and call off those that wait, because their show is over."""
        for lot_id in self.shows[show_id].lots:
            lot = self.lots[lot_id]
            if lot.stage in {Stage.LIVE, Stage.PAUSED}:
                lot.ended_at = at
            elif lot.stage is Stage.QUEUED:
                lot.cancelled = True
