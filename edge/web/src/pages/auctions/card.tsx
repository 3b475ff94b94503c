import {
  type Auction,
  AuctionFormat,
  AuctionOutcome,
  AuctionState,
} from "@contracts/blytz/auction/v1/auction_pb";
import { isOver, isSold, milliseconds } from "../../api/fold";
import { Avatar } from "../../components/avatar";
import { Cover } from "../../components/cover";
import { TimeLeft } from "../../components/time_left";
import { useFallenPrice } from "../../components/use_fallen_price";
import { isDutch, isSealed, wordsOf } from "../../format/auction_format";
import { formatMinor, formatMoney } from "../../format/money";
import { formatMoment } from "../../format/time";
import { Link } from "../../router";
import styles from "./card.module.css";

const OUTCOMES: Partial<Record<AuctionOutcome, string>> = {
  [AuctionOutcome.SOLD]: "Sold",
  [AuctionOutcome.RESERVE_NOT_MET]: "Reserve not met",
  [AuctionOutcome.NO_BIDS]: "No bids",
  [AuctionOutcome.CANCELLED]: "Called off",
  [AuctionOutcome.BOUGHT_NOW]: "Bought",
};

/** One auction of a list: its picture, its price and its seconds. */
export function AuctionCard({ auction }: { auction: Auction }) {
  const live = auction.state === AuctionState.LIVE;
  return (
    <Link href={`/auctions/${auction.auctionId}`} className={styles.card}>
      <div className={styles.picture}>
        <Cover title={auction.title} imageUrl={auction.imageUrl} />
        <span className={styles.badge} data-live={live}>
          <Moment auction={auction} />
        </span>
        {auction.terms?.format === AuctionFormat.ENGLISH ? null : (
          <span className={styles.format}>{wordsOf(auction.terms?.format).name}</span>
        )}
      </div>
      <div className={styles.body}>
        <h2 className={styles.title}>{auction.title}</h2>
        <p className={styles.price}>
          <Price auction={auction} />
        </p>
        <p className={styles.bids}>
          {auction.leaderAlias ? <Avatar alias={auction.leaderAlias} size={22} /> : null}
          <span>{bidsText(auction)}</span>
        </p>
      </div>
    </Link>
  );
}

function Price({ auction }: { auction: Auction }) {
  const fallen = useFallenPrice(auction);
  if (isOver(auction) || !auction.price) return <>{formatMoney(auction.price)}</>;
  if (isSealed(auction)) return <>Sealed</>;
  if (!fallen) return <>{formatMoney(auction.price)}</>;
  return <>{formatMinor(fallen.amountMinor, auction.price.currencyCode)}</>;
}

function Moment({ auction }: { auction: Auction }) {
  switch (auction.state) {
    case AuctionState.LIVE:
      return <TimeLeft endsAtMs={milliseconds(auction.endsAt)} over="Ending…" />;
    case AuctionState.SCHEDULED:
      return <>{formatMoment(milliseconds(auction.startsAt))}</>;
    case AuctionState.DRAFT:
      return <>Draft</>;
    case AuctionState.QUEUED:
      return <>Up soon</>;
    case AuctionState.PAUSED:
      return <>Paused</>;
    default:
      return <>{OUTCOMES[auction.outcome] ?? "Over"}</>;
  }
}

function bidsText(auction: Auction): string {
  if (isDutch(auction) && !isOver(auction)) return "Falls until somebody takes it";
  if (auction.bidCount === 0) {
    return auction.state === AuctionState.LIVE ? "No bids yet, open it" : "Opening price";
  }
  const bids = auction.bidCount === 1 ? "1 bid" : `${auction.bidCount} bids`;
  const live = auction.state === AuctionState.LIVE;
  const verb = isSold(auction) ? "won" : live ? "leads" : "led";
  return auction.leaderAlias ? `${bids} · ${auction.leaderAlias} ${verb}` : bids;
}
