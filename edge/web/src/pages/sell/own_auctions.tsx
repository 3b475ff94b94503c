import { AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { AuctionCard } from "../auctions/card";
import { useAuctions } from "../auctions/use_auctions";
import styles from "./sell.module.css";

/** A seller's own auctions that are not over. */
export function OwnAuctions({ sellerId }: { sellerId: string }) {
  const live = useAuctions(AuctionState.LIVE, sellerId);
  const announced = useAuctions(AuctionState.SCHEDULED, sellerId);
  const drafts = useAuctions(AuctionState.DRAFT, sellerId);
  const own = [live, announced, drafts].flatMap(
    (list) => list.data?.pages.flatMap((page) => page.auctions) ?? [],
  );
  return (
    <section className={styles.own} aria-labelledby="own-auctions">
      <h2 id="own-auctions">Yours</h2>
      {own.length === 0 ? <p className={styles.none}>Nothing is up yet.</p> : null}
      <ul className={styles.cards}>
        {own.map((auction) => (
          <li key={auction.auctionId}>
            <AuctionCard auction={auction} />
          </li>
        ))}
      </ul>
    </section>
  );
}
