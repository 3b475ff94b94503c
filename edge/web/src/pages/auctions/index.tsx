import { type Auction, AuctionFormat, AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { useState } from "react";
import { failureOf } from "../../api/failure";
import { useSession } from "../../api/hooks";
import { sentenceFor } from "../../api/sentences";
import { Button } from "../../components/button";
import { Chips } from "../../components/chips";
import { Notice } from "../../components/notice";
import { SignInFirst } from "../../components/sign_in_first";
import { useTitle } from "../../components/use_title";
import styles from "./auctions.module.css";
import { AuctionCard } from "./card";
import { useAuctions, useWatchlist } from "./use_auctions";

const TABS = [
  ["live", "Live", "Nothing is live right now. Be the first to sell something."],
  ["upcoming", "Coming up", "Nothing is announced yet."],
  ["ended", "Ended", "No auction has ended yet."],
  ["watched", "Watching", "You watch nothing yet. The heart in a room puts it here."],
] as const;
type Tab = (typeof TABS)[number][0];
const STATES: Record<Exclude<Tab, "watched">, AuctionState> = {
  live: AuctionState.LIVE,
  upcoming: AuctionState.SCHEDULED,
  ended: AuctionState.ENDED,
};

/** The kinds of auction that people look for; each stands for one format or two. */
const KINDS: readonly (readonly [string, readonly AuctionFormat[]])[] = [
  ["All", []],
  ["Highest bid", [AuctionFormat.ENGLISH]],
  ["Quick", [AuctionFormat.LIVE_LOT, AuctionFormat.SUDDEN_DEATH]],
  ["Falling price", [AuctionFormat.DUTCH]],
  ["Sealed", [AuctionFormat.SEALED_FIRST_PRICE, AuctionFormat.SEALED_SECOND_PRICE]],
];

/** The auctions that anyone may see, live, announced and over, and those that a person watches. */
export function AuctionsPage() {
  useTitle("");
  const [tab, setTab] = useState<Tab>("live");
  const [kind, setKind] = useState("All");
  const empty = TABS.find(([value]) => value === tab)?.[2] ?? "";
  const formats = KINDS.find(([name]) => name === kind)?.[1] ?? [];
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
              aria-pressed={value === tab}
              onClick={() => setTab(value)}
            >
              {text}
            </button>
          ))}
        </fieldset>
      </div>
      <div className={styles.kinds}>
        <Chips
          label="Which kind of auction"
          chips={KINDS.map(([name]) => ({
            text: name,
            picked: name === kind,
            onPick: () => setKind(name),
          }))}
        />
      </div>
      {tab === "watched" ? (
        <Watched empty={empty} formats={formats} />
      ) : (
        <Listed key={tab} state={STATES[tab]} empty={empty} formats={formats} />
      )}
    </>
  );
}

interface ListWords {
  empty: string;
  /** The formats to show; none means all. */
  formats: readonly AuctionFormat[];
}

function Listed({ state, ...words }: ListWords & { state: AuctionState }) {
  const list = useAuctions(state);
  const auctions = list.data?.pages.flatMap((page) => page.auctions);
  return <Cards list={list} auctions={auctions} staged={state === AuctionState.LIVE} {...words} />;
}

function Watched(words: ListWords) {
  const signedIn = useSession() !== null;
  const list = useWatchlist(signedIn);
  if (!signedIn) return <SignInFirst title="Watch list" why="What you watch is kept for you." />;
  const auctions = list.data?.pages.flatMap((page) => page.auctions);
  return <Cards list={list} auctions={auctions} staged={false} {...words} />;
}

function Cards({
  list,
  auctions,
  staged,
  empty,
  formats,
}: ListWords & {
  list: {
    error: unknown;
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    fetchNextPage: () => unknown;
  };
  auctions: readonly Auction[] | undefined;
  /** Whether the first card has the stage. */
  staged: boolean;
}) {
  if (list.error && !auctions) {
    return <Notice kind="bad">{sentenceFor(failureOf(list.error))}</Notice>;
  }
  if (!auctions) return <Skeletons />;
  const shown = formats.length
    ? auctions.filter(({ terms }) => terms && formats.includes(terms.format))
    : auctions;
  return (
    <>
      {shown.length === 0 ? (
        <p className={styles.empty}>{auctions.length ? "None of this kind here." : empty}</p>
      ) : null}
      <ul className={styles.grid}>
        {shown.map((auction, index) => (
          <li key={auction.auctionId} data-first={index === 0 && staged}>
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
