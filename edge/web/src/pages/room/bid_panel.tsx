import {
  type Auction,
  AuctionOutcome,
  AuctionState,
  FundingPolicy,
} from "@contracts/blytz/auction/v1/auction_pb";
import { isOver, isSold, milliseconds, type RoomState } from "../../api/fold";
import { useSession } from "../../api/hooks";
import { buttonClass } from "../../components/button";
import { isDutch, isSealed } from "../../format/auction_format";
import { formatMoney } from "../../format/money";
import { formatMoment } from "../../format/time";
import { Link, signInAddress } from "../../router";
import { BidForm } from "./bid_form";
import styles from "./bid_panel.module.css";
import type { Standing } from "./standing";
import { TakePanel } from "./take_panel";
import type { Bidding } from "./use_bid";

/** Where a person bids, or reads why they cannot. */
export function BidPanel({
  room,
  standing,
  bidding,
  inShow,
}: {
  room: RoomState;
  standing: Standing | null;
  bidding: Bidding;
  /** Whether the room is part of its show's page, where the next lot follows by itself. */
  inShow: boolean;
}) {
  const session = useSession();
  const { auction } = room;
  if (isOver(auction)) return <Outcome room={room} standing={standing} inShow={inShow} />;
  const closed = closedWords(auction);
  if (closed) {
    const [headline, detail] = closed;
    return (
      <div className={styles.panel} role="status">
        <p className={styles.headline}>{headline}</p>
        <p className={styles.detail}>{detail}</p>
      </div>
    );
  }
  if (!session) return <SignInToBid auction={auction} />;
  if (isDutch(auction)) return <TakePanel room={room} bidding={bidding} />;
  return (
    <>
      {auction.state === AuctionState.QUEUED ? (
        <p className={styles.ahead}>Not open yet. Bids are taken ahead and count when it opens.</p>
      ) : null}
      <BidForm room={room} standing={standing} bidding={bidding} />
    </>
  );
}

function SignInToBid({ auction }: { auction: Auction }) {
  return (
    <div className={styles.panel}>
      {isDutch(auction) ? null : (
        <p className={styles.detail}>
          {isSealed(auction) ? "Sealed bids from " : "The next bid is "}
          <strong>{formatMoney(auction.minimumNextBid)}</strong>
        </p>
      )}
      <Link href={signInAddress()} className={buttonClass("volt", true)}>
        Sign in to bid
      </Link>
    </div>
  );
}

/** Says why nobody can bid right now; null if people can. */
function closedWords(auction: Auction): [string, string] | null {
  switch (auction.state) {
    case AuctionState.LIVE:
      return null;
    case AuctionState.QUEUED:
      return isDutch(auction)
        ? ["Up soon", "The price begins to fall when the lot is opened."]
        : null;
    case AuctionState.PAUSED:
      return ["Paused", "The clock is stopped. Everything stays as it is until it runs on."];
    default:
      return [`Bidding opens ${opensText(auction)}`, "Stay here: the room opens by itself."];
  }
}

function opensText(auction: Auction): string {
  return auction.startsAt ? formatMoment(milliseconds(auction.startsAt)) : "soon";
}

function Outcome({
  room,
  standing,
  inShow,
}: {
  room: RoomState;
  standing: Standing | null;
  inShow: boolean;
}) {
  const { auction, cancellationReason } = room;
  const won = isSold(auction) && standing?.alias === auction.leaderAlias;
  const [headline, detail] = outcomeWords(auction, won);
  return (
    <div className={styles.panel} role="status" data-won={won}>
      <p className={styles.headline}>{headline}</p>
      <p className={styles.detail}>{cancellationReason || detail}</p>
      {inShow ? null : (
        <Link href="/" className={buttonClass(won ? "volt" : "quiet", true)}>
          See what else is live
        </Link>
      )}
    </div>
  );
}

function outcomeWords(auction: Auction, won: boolean): [string, string] {
  const price = formatMoney(auction.price);
  const held = auction.terms?.fundingPolicy === FundingPolicy.WALLET_HOLD;
  const paid = held
    ? `It is yours for ${price}, paid from your wallet.`
    : `It is yours for ${price}.`;
  switch (auction.outcome) {
    case AuctionOutcome.SOLD:
      if (won) return [isDutch(auction) ? "You took it!" : "You won!", paid];
      return [`Sold for ${price}`, `${auction.leaderAlias} wins.`];
    case AuctionOutcome.BOUGHT_NOW:
      return won
        ? ["You bought it!", paid]
        : [`Bought for ${price}`, `${auction.leaderAlias} bought it at once.`];
    case AuctionOutcome.RESERVE_NOT_MET:
      return ["Not sold", `Bidding stopped at ${price}, below the seller's reserve.`];
    case AuctionOutcome.NO_BIDS:
      return ["Not sold", isDutch(auction) ? "Nobody took it." : "Nobody bid."];
    default:
      return ["Called off", "Nobody won, and nothing stays held."];
  }
}
