import { type Auction, AuctionOutcome, AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { isOver, milliseconds, type RoomState } from "../../api/fold";
import { useSession } from "../../api/hooks";
import { buttonClass } from "../../components/button";
import { formatMoney } from "../../format/money";
import { formatMoment } from "../../format/time";
import { Link, signInAddress } from "../../router";
import { BidForm } from "./bid_form";
import styles from "./bid_panel.module.css";
import type { Standing } from "./standing";
import type { Bidding } from "./use_bid";

/** Where a person bids, or reads why they cannot. */
export function BidPanel({
  room,
  standing,
  bidding,
}: {
  room: RoomState;
  standing: Standing | null;
  bidding: Bidding;
}) {
  const session = useSession();
  const { auction } = room;
  if (isOver(auction)) return <Outcome room={room} standing={standing} />;
  if (auction.state !== AuctionState.LIVE) {
    return (
      <div className={styles.panel}>
        <p className={styles.headline}>Bidding opens {opensText(auction)}</p>
        <p className={styles.detail}>Stay here: the room opens by itself.</p>
      </div>
    );
  }
  if (!session) {
    return (
      <div className={styles.panel}>
        <p className={styles.detail}>
          The next bid is <strong>{formatMoney(auction.minimumNextBid)}</strong>
        </p>
        <Link href={signInAddress()} className={buttonClass("volt", true)}>
          Sign in to bid
        </Link>
      </div>
    );
  }
  return <BidForm room={room} standing={standing} bidding={bidding} />;
}

function opensText(auction: Auction): string {
  return auction.startsAt ? formatMoment(milliseconds(auction.startsAt)) : "soon";
}

function Outcome({ room, standing }: { room: RoomState; standing: Standing | null }) {
  const { auction, cancellationReason } = room;
  const won = auction.outcome === AuctionOutcome.SOLD && standing?.alias === auction.leaderAlias;
  const [headline, detail] = outcomeWords(auction, won);
  return (
    <div className={styles.panel} role="status" data-won={won}>
      <p className={styles.headline}>{headline}</p>
      <p className={styles.detail}>{cancellationReason || detail}</p>
      <Link href="/" className={buttonClass(won ? "volt" : "quiet", true)}>
        See what else is live
      </Link>
    </div>
  );
}

function outcomeWords(auction: Auction, won: boolean): [string, string] {
  const price = formatMoney(auction.price);
  switch (auction.outcome) {
    case AuctionOutcome.SOLD:
      return won
        ? ["You won!", `It is yours for ${price}, paid from your wallet.`]
        : [`Sold for ${price}`, `${auction.leaderAlias} wins.`];
    case AuctionOutcome.RESERVE_NOT_MET:
      return ["Not sold", `Bidding stopped at ${price}, below the seller's reserve.`];
    case AuctionOutcome.NO_BIDS:
      return ["Not sold", "Nobody bid."];
    default:
      return ["Called off", "Nobody won, and nothing stays held."];
  }
}
