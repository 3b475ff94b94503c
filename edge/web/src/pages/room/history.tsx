import type { Bid } from "@contracts/blytz/auction/v1/auction_pb";
import { milliseconds } from "../../api/fold";
import { useServerTime } from "../../api/hooks";
import { Avatar } from "../../components/avatar";
import { formatMoney } from "../../format/money";
import { formatAgo } from "../../format/time";
import styles from "./history.module.css";

const SHOWN = 60;

/** Every bid that is known, newest first. */
export function History({
  bids,
  ownAlias,
  sealed,
}: {
  bids: readonly Bid[];
  ownAlias: string;
  sealed: boolean;
}) {
  const now = useServerTime(1000);
  return (
    <section className={styles.history} aria-labelledby="bid-history">
      <h2 id="bid-history" className={styles.title}>
        Bids
      </h2>
      {bids.length === 0 ? <p className={styles.none}>No bids yet.</p> : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard too */}
      <ol className={styles.list} tabIndex={0} aria-labelledby="bid-history">
        {bids.slice(0, SHOWN).map((bid) => (
          <li
            key={bid.bidId}
            className={styles.bid}
            data-own={bid.bidderAlias === ownAlias}
            data-retracted={bid.retracted}
          >
            <Avatar alias={bid.bidderAlias} size={34} />
            <span className={styles.who}>
              <span className={styles.alias}>
                {bid.bidderAlias === ownAlias ? "You" : bid.bidderAlias}
              </span>
              <span className={styles.ago}>{formatAgo(now - milliseconds(bid.placedAt))}</span>
            </span>
            <Amount bid={bid} sealed={sealed} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Amount({ bid, sealed }: { bid: Bid; sealed: boolean }) {
  if (bid.retracted) return <span className={styles.aside}>Taken back</span>;
  if (sealed) return <span className={styles.aside}>Sealed</span>;
  return <span className={styles.price}>{formatMoney(bid.price)}</span>;
}
