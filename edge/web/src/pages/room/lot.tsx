import { type Auction, AuctionState, FundingPolicy } from "@contracts/blytz/auction/v1/auction_pb";
import { milliseconds } from "../../api/fold";
import { Cover } from "../../components/cover";
import { isDutch, isSealed, wordsOf } from "../../format/auction_format";
import { formatMinor, formatMoney } from "../../format/money";
import { formatMoment, formatSpan } from "../../format/time";
import { Link } from "../../router";
import styles from "./lot.module.css";
import { WatchButton } from "./watch_button";

/** The lot's picture with its name on it. */
export function Lot({ auction }: { auction: Auction }) {
  return (
    <div className={styles.lot}>
      <div className={styles.picture}>
        <Cover title={auction.title} imageUrl={auction.imageUrl} />
      </div>
      <WatchButton auctionId={auction.auctionId} />
      <div className={styles.name}>
        <h1 className={styles.title}>{auction.title}</h1>
        <p className={styles.seller}>Sold by {auction.sellerName || "a seller"}</p>
      </div>
    </div>
  );
}

/** What the seller says about the lot, and the rules of the auction in words. */
export function About({ auction, inShow }: { auction: Auction; inShow: boolean }) {
  return (
    <div className={styles.about}>
      {auction.description ? <p className={styles.description}>{auction.description}</p> : null}
      <dl className={styles.terms}>
        {rulesOf(auction).map(([term, words]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      {auction.showId && !inShow ? (
        <Link href={`/shows/${auction.showId}`} className={styles.show}>
          A lot of a show: go there
        </Link>
      ) : null}
    </div>
  );
}

/** Returns the rules of an auction, each with its name. */
function rulesOf(auction: Auction): [string, string][] {
  const { terms } = auction;
  const { name, hint } = wordsOf(terms?.format);
  const rules: [string, string][] = [
    [name, hint],
    ["Opening price", formatMoney(terms?.openingPrice)],
  ];
  const falling = terms?.fallingPrice;
  const currencyCode = terms?.openingPrice?.currencyCode ?? "USD";
  if (falling) {
    const drop = formatMinor(falling.dropMinor, currencyCode);
    const floor = formatMinor(falling.floorMinor, currencyCode);
    rules.push(["The fall", `${drop} every ${formatSpan(falling.every)}, down to ${floor}`]);
  }
  if (terms?.buyNow) rules.push(["Buy now", formatMoney(terms.buyNow.price)]);
  rules.push(["Ends", endWords(auction)]);
  if (!isDutch(auction) && !isSealed(auction)) rules.push(["Late bids", lateBidWords(auction)]);
  rules.push(["Funding", FUNDING[terms?.fundingPolicy ?? FundingPolicy.UNSPECIFIED]]);
  return rules;
}

const FUNDING: Record<FundingPolicy, string> = {
  [FundingPolicy.UNSPECIFIED]: "",
  [FundingPolicy.WALLET_HOLD]: "Bids are held from the wallet",
  [FundingPolicy.OPEN]: "The winner pays afterwards",
  [FundingPolicy.SAVED_CARD]: "For people with a saved card, which is charged afterwards",
};

function endWords({ endsAt, state, terms }: Auction): string {
  if (endsAt) return formatMoment(milliseconds(endsAt));
  if (state !== AuctionState.QUEUED) return "Not set";
  return terms?.lotDuration ? `${formatSpan(terms.lotDuration)} after it opens` : "When it opens";
}

function lateBidWords({ terms }: Auction): string {
  const soft = terms?.softClose;
  if (!soft) return "The end is fixed";
  return `In the last ${formatSpan(soft.extendWithin)} a bid leaves ${formatSpan(soft.extendBy)}`;
}
