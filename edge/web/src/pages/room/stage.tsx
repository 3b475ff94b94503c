import { type Auction, AuctionState, ReserveStatus } from "@contracts/blytz/auction/v1/auction_pb";
import type { FeedStatus } from "../../api/feed";
import { isOver, isSold, type RoomState } from "../../api/fold";
import { Avatar } from "../../components/avatar";
import { FormatBadge } from "../../components/format_badge";
import { RollingPrice } from "../../components/rolling_price";
import { useFallenPrice } from "../../components/use_fallen_price";
import { isDutch, isSealed, wordsOf } from "../../format/auction_format";
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
  const sealed = isSealed(auction);
  return (
    <section className={styles.stage} aria-label="Scoreboard" data-sold={isSold(auction)}>
      <div className={styles.top}>
        <ConnectionPill status={status} state={auction.state} />
        <FormatBadge format={auction.terms?.format} />
        {reserve ? (
          <span className={styles.reserve} data-met={auction.reserveStatus === ReserveStatus.MET}>
            {reserve}
          </span>
        ) : null}
        {isDutch(auction) ? null : (
          <span className={styles.count}>
            {auction.bidCount === 1 ? "1 bid" : `${auction.bidCount} bids`}
          </span>
        )}
      </div>
      <div className={styles.board}>
        <div className={styles.money}>
          {sealed && !isOver(auction) ? (
            <Envelope auction={auction} />
          ) : (
            <Price auction={auction} />
          )}
          <Leader auction={auction} standing={standing} />
        </div>
        <TimeBoard room={room} />
      </div>
      <div className={styles.climb}>
        <PriceChart room={room} />
      </div>
      <LastBidders bids={room.bids} ownAlias={standing?.alias ?? ""} sealed={sealed} />
    </section>
  );
}

function Price({ auction }: { auction: Auction }) {
  const fallen = useFallenPrice(auction);
  const price =
    auction.price && fallen && !isOver(auction)
      ? { ...auction.price, amountMinor: fallen.amountMinor }
      : auction.price;
  const label = priceLabel(auction);
  return (
    <>
      <p className={styles.label}>{label}</p>
      <p className={styles.price}>
        {price ? <RollingPrice money={price} /> : null}
        <span className="visually-hidden" aria-live="polite">
          {`${label} ${formatMoney(price)}`}
        </span>
      </p>
    </>
  );
}

/** Stands where the price is once the bids are opened. */
function Envelope({ auction }: { auction: Auction }) {
  return (
    <>
      <p className={styles.label}>From {formatMoney(auction.terms?.openingPrice)}</p>
      <p className={styles.sealed}>Sealed</p>
      <p className={styles.rule}>{wordsOf(auction.terms?.format).hint}</p>
    </>
  );
}

function priceLabel(auction: Auction): string {
  if (isSold(auction)) return "Sold for";
  if (auction.state === AuctionState.ENDED) return "Last price";
  if (isDutch(auction))
    return auction.state === AuctionState.LIVE || auction.pausedAt ? "Price now" : "Starts at";
  return auction.bidCount > 0 ? "Current bid" : "Opening price";
}

function Leader({ auction, standing }: { auction: Auction; standing: Standing | null }) {
  if (auction.state === AuctionState.CANCELLED) return <p className={styles.leader}>Called off</p>;
  if (isSealed(auction) && !isOver(auction)) return null;
  if (!auction.leaderAlias) return <p className={styles.leader}>{nobodyWords(auction)}</p>;
  const own = auction.leaderAlias === standing?.alias;
  const over = auction.state === AuctionState.ENDED;
  const won = isSold(auction);
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

function nobodyWords(auction: Auction): string {
  const over = auction.state === AuctionState.ENDED;
  if (isDutch(auction)) return over ? "Nobody took it" : "The first to take it has it";
  return over ? "Nobody bid" : "The first bid opens it";
}
