import { type Auction, FundingPolicy } from "@contracts/blytz/auction/v1/auction_pb";
import { milliseconds } from "../../api/fold";
import { Cover } from "../../components/cover";
import { formatMoney } from "../../format/money";
import { formatMoment, formatSpan } from "../../format/time";
import styles from "./lot.module.css";

/** The lot's picture with its name on it. */
export function Lot({ auction }: { auction: Auction }) {
  return (
    <div className={styles.lot}>
      <div className={styles.picture}>
        <Cover title={auction.title} imageUrl={auction.imageUrl} />
      </div>
      <div className={styles.name}>
        <h1 className={styles.title}>{auction.title}</h1>
        <p className={styles.seller}>Sold by {auction.sellerName || "a seller"}</p>
      </div>
    </div>
  );
}

/** What the seller says about the lot, and the rules of the auction in words. */
export function About({ auction }: { auction: Auction }) {
  const { terms, description } = auction;
  const soft = terms?.softClose;
  const extendBy = formatSpan(soft?.extendBy);
  return (
    <div className={styles.about}>
      {description ? <p className={styles.description}>{description}</p> : null}
      <dl className={styles.terms}>
        <div>
          <dt>Opening price</dt>
          <dd>{formatMoney(terms?.openingPrice)}</dd>
        </div>
        <div>
          <dt>Ends</dt>
          <dd>{auction.endsAt ? formatMoment(milliseconds(auction.endsAt)) : "Not set"}</dd>
        </div>
        <div>
          <dt>Late bids</dt>
          <dd>
            {soft
              ? `In the last ${formatSpan(soft.extendWithin)} a bid leaves ${extendBy}`
              : "The end is fixed"}
          </dd>
        </div>
        <div>
          <dt>Funding</dt>
          <dd>
            {terms?.fundingPolicy === FundingPolicy.OPEN
              ? "The winner pays afterwards"
              : "The leader's maximum is held from their wallet"}
          </dd>
        </div>
      </dl>
    </div>
  );
}
