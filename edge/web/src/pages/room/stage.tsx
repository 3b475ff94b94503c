import {
  type Auction,
  AuctionOutcome,
  AuctionState,
  ReserveStatus,
} from "@contracts/blytz/auction/v1/auction_pb";
import type { FeedStatus } from "../../api/feed";
import type { RoomState } from "../../api/fold";
import { Avatar } from "../../components/avatar";
import { RollingPrice } from "../../components/rolling_price";
import { formatMoney } from "../../format/money";
import { ConnectionPill } from "./connection_pill";
import { LastBidders } from "./last_bidders";
import { PriceChart } from "./price_chart";
import styles from "./stage.module.css";
import type { Standing } from "./standing";
import { TimeBoard } from "./time_board";

const RESERVE: Partial<Record<ReserveStatus, string>> = {
  [ReserveStatus.NOT_MET]: "Reserve not met",
  [ReserveStatus.MET]: "Reserve met",
};

/** The scoreboard of the room: the price, the seconds, the last bidders, and the climb so far. */
export function Stage({
  room,
  status,
  standing,
}: {
  room: RoomState;
  status: FeedStatus;
  standing: Standing | null;
}) {
  const { auction } = room;
  const reserve = RESERVE[auction.reserveStatus];
  const sold = auction.outcome === AuctionOutcome.SOLD;
  return (
    <section className={styles.stage} aria-label="Scoreboard" data-sold={sold}>
      <div className={styles.top}>
        <ConnectionPill status={status} state={auction.state} />
        {reserve ? (
          <span className={styles.reserve} data-met={auction.reserveStatus === ReserveStatus.MET}>
            {reserve}
          </span>
        ) : null}
        <span className={styles.count}>
          {auction.bidCount === 1 ? "1 bid" : `${auction.bidCount} bids`}
        </span>
      </div>
      <div className={styles.board}>
        <div className={styles.money}>
          <p className={styles.label}>{priceLabel(auction)}</p>
          <p className={styles.price}>
            {auction.price ? <RollingPrice money={auction.price} /> : null}
            <span className="visually-hidden" aria-live="polite">
              {`${priceLabel(auction)} ${formatMoney(auction.price)}`}
            </span>
          </p>
          <Leader auction={auction} standing={standing} />
        </div>
        <TimeBoard room={room} />
      </div>
      <div className={styles.climb}>
        <PriceChart room={room} />
      </div>
      <LastBidders bids={room.bids} ownAlias={standing?.alias ?? ""} />
    </section>
  );
}

function priceLabel(auction: Auction): string {
  if (auction.outcome === AuctionOutcome.SOLD) return "Sold for";
  if (auction.state === AuctionState.ENDED) return "Last price";
  return auction.bidCount > 0 ? "Current bid" : "Opening price";
}

function Leader({ auction, standing }: { auction: Auction; standing: Standing | null }) {
  if (auction.state === AuctionState.CANCELLED) return <p className={styles.leader}>Called off</p>;
  if (!auction.leaderAlias) {
    return (
      <p className={styles.leader}>
        {auction.state === AuctionState.ENDED ? "Nobody bid" : "The first bid opens it"}
      </p>
    );
  }
  const own = auction.leaderAlias === standing?.alias;
  const over = auction.state === AuctionState.ENDED;
  const won = auction.outcome === AuctionOutcome.SOLD;
  const verb = won ? (own ? "won it" : "wins") : over ? "led" : own ? "lead" : "leads";
  return (
    <p className={styles.leader} data-own={own}>
      <Avatar alias={auction.leaderAlias} size={28} />
      <span>
        <strong>{own ? "You" : auction.leaderAlias}</strong> {verb}
      </span>
    </p>
  );
}
