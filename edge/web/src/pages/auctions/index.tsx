import { AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { useState } from "react";
import { failureOf } from "../../api/failure";
import { sentenceFor } from "../../api/sentences";
import { Button } from "../../components/button";
import { Notice } from "../../components/notice";
import { useTitle } from "../../components/use_title";
import styles from "./auctions.module.css";
import { AuctionCard } from "./card";
import { useAuctions } from "./use_auctions";

const TABS = [
  [AuctionState.LIVE, "Live", "Nothing is live right now. Be the first to sell something."],
  [AuctionState.SCHEDULED, "Coming up", "Nothing is announced yet."],
  [AuctionState.ENDED, "Ended", "No auction has ended yet."],
] as const;

/** The auctions that anyone may see: live, announced and over. */
export function AuctionsPage() {
  useTitle("");
  const [state, setState] = useState<AuctionState>(AuctionState.LIVE);
  const tab = TABS.find(([value]) => value === state) ?? TABS[0];
  return (
    <>
      <div className={styles.top}>
        <h1 className={styles.motto}>
          Going, <span>going,</span> yours.
        </h1>
        <fieldset className={styles.tabs}>
          <legend className="visually-hidden">Which auctions</legend>
          {TABS.map(([value, text]) => (
            <button
              key={value}
              type="button"
              aria-pressed={value === state}
              onClick={() => setState(value)}
            >
              {text}
            </button>
          ))}
        </fieldset>
      </div>
      <List key={state} state={state} empty={tab[2]} />
    </>
  );
}

function List({ state, empty }: { state: AuctionState; empty: string }) {
  const list = useAuctions(state);
  const auctions = list.data?.pages.flatMap((page) => page.auctions);
  if (list.error && !auctions) {
    return <Notice kind="bad">{sentenceFor(failureOf(list.error))}</Notice>;
  }
  if (!auctions) return <Skeletons />;
  if (auctions.length === 0) return <p className={styles.empty}>{empty}</p>;
  return (
    <>
      <ul className={styles.grid}>
        {auctions.map((auction, index) => (
          <li key={auction.auctionId} data-first={index === 0 && state === AuctionState.LIVE}>
            <AuctionCard auction={auction} />
          </li>
        ))}
      </ul>
      {list.hasNextPage ? (
        <p className={styles.more}>
          <Button kind="quiet" busy={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
            Show more
          </Button>
        </p>
      ) : null}
    </>
  );
}

function Skeletons() {
  return (
    <div className={styles.grid} role="status" aria-label="Loading auctions">
      {["a", "b", "c", "d", "e", "f"].map((key) => (
        <div key={key} className={styles.skeleton} />
      ))}
    </div>
  );
}
