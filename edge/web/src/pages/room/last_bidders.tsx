import type { Bid } from "@contracts/blytz/auction/v1/auction_pb";
import { Avatar } from "../../components/avatar";
import { formatMoney } from "../../format/money";
import styles from "./last_bidders.module.css";

const SHOWN = 8;

/** The faces of those who bid last, newest first; each new one comes in from the left. */
export function LastBidders({
  bids,
  ownAlias,
  sealed,
}: {
  bids: readonly Bid[];
  ownAlias: string;
  sealed: boolean;
}) {
  const standing = bids.filter((bid) => !bid.retracted);
  if (standing.length === 0) return null;
  return (
    <ol className={styles.faces} aria-label="Last bidders">
      {standing.slice(0, SHOWN).map((bid) => (
        <li
          key={bid.bidId}
          className={styles.face}
          data-own={bid.bidderAlias === ownAlias}
          data-leads={bid.leaderAlias === bid.bidderAlias}
        >
          <Avatar alias={bid.bidderAlias} size={44} />
          {sealed ? null : <span className={styles.amount}>{formatMoney(bid.price)}</span>}
          <span className={styles.alias}>
            {bid.bidderAlias === ownAlias
              ? "You"
              : bid.bidderAlias.split(" ")[1] || bid.bidderAlias}
          </span>
        </li>
      ))}
    </ol>
  );
}
