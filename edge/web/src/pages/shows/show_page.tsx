import { Code } from "@connectrpc/connect";
import { type Show, ShowState } from "@contracts/blytz/auction/v1/show_pb";
import type { GetShowResponse } from "@contracts/blytz/auction/v1/show_service_pb";
import { milliseconds } from "../../api/fold";
import { useSession } from "../../api/hooks";
import { sentenceFor } from "../../api/sentences";
import { Button } from "../../components/button";
import { Notice } from "../../components/notice";
import { useTitle } from "../../components/use_title";
import { formatMoney } from "../../format/money";
import { formatMoment } from "../../format/time";
import { navigate, signInAddress } from "../../router";
import { NotFoundPage } from "../not_found";
import { Room } from "../room";
import { type Lots, lotsOf } from "./lots";
import { Over, UpNext } from "./queue";
import { RunPanel } from "./run_panel";
import styles from "./show_page.module.css";
import { useBookmark, useShow } from "./use_shows";

/** One show: the open lot with its room, what comes next, and for its seller the way to run it. */
export function ShowPage({ showId }: { showId: string }) {
  const { answer, failure, refresh } = useShow(showId);
  useTitle(answer?.show?.title ?? "Show");
  if (failure?.code === Code.NotFound || failure?.code === Code.InvalidArgument) {
    return <NotFoundPage what="There is no such show." />;
  }
  if (failure) return <Notice kind="bad">{sentenceFor(failure)}</Notice>;
  if (!answer?.show) return <div className={styles.loading} role="status" aria-label="Loading" />;
  return <Evening show={answer.show} answer={answer} onChanged={refresh} />;
}

function Evening({
  show,
  answer,
  onChanged,
}: {
  show: Show;
  answer: GetShowResponse;
  onChanged: () => Promise<void>;
}) {
  const userId = useSession()?.user?.userId;
  const own = userId !== undefined && userId === show.sellerId;
  const lots = lotsOf(answer.lots);
  return (
    <div className={styles.show}>
      <Heading show={show} bookmarked={answer.bookmarked} own={own} />
      {own ? <RunPanel show={show} lots={lots} onChanged={onChanged} /> : null}
      <Staged show={show} lots={lots} />
      <div className={styles.lists}>
        <UpNext show={show} waiting={lots.waiting} own={own} onChanged={onChanged} />
        <Over show={show} over={lots.over} own={own} onChanged={onChanged} />
      </div>
    </div>
  );
}

function Heading({ show, bookmarked, own }: { show: Show; bookmarked: boolean; own: boolean }) {
  const signedIn = useSession() !== null;
  const bookmark = useBookmark(show.showId, bookmarked);
  const press = () => {
    if (signedIn) void bookmark.run();
    else navigate(signInAddress());
  };
  return (
    <header className={styles.heading}>
      <div>
        <h1>{show.title}</h1>
        <p className={styles.facts}>
          <span className={styles.state} data-live={show.state === ShowState.LIVE} role="status">
            {stateWords(show)}
          </span>
          <span>by {show.sellerName || "a seller"}</span>
          {show.bidderLimit ? (
            <span>Up to {formatMoney(show.bidderLimit)} for each bidder</span>
          ) : null}
        </p>
        {show.description ? <p className={styles.description}>{show.description}</p> : null}
      </div>
      {own || show.state === ShowState.ENDED ? null : (
        <Button kind="quiet" aria-pressed={bookmarked} busy={bookmark.busy} onClick={press}>
          {bookmarked ? "Bookmarked" : "Bookmark"}
        </Button>
      )}
    </header>
  );
}

function stateWords(show: Show): string {
  if (show.state === ShowState.LIVE) return "On now";
  if (show.state === ShowState.ENDED) return `Ended ${formatMoment(milliseconds(show.endedAt))}`;
  return `Starts ${formatMoment(milliseconds(show.startsAt))}`;
}

function Staged({ show, lots: { staged } }: { show: Show; lots: Lots }) {
  if (staged) return <Room key={staged.auctionId} auctionId={staged.auctionId} inShow />;
  if (show.state === ShowState.ENDED) return null;
  return (
    <p className={styles.soon}>
      {show.state === ShowState.LIVE
        ? "The first lot comes up in a moment."
        : "Nothing is open yet. You can bid ahead on the lots below."}
    </p>
  );
}
