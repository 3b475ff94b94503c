import { type Show, ShowState } from "@contracts/blytz/auction/v1/show_pb";
import { useState } from "react";
import { failureOf } from "../../api/failure";
import { milliseconds } from "../../api/fold";
import { maySell, useSession } from "../../api/hooks";
import { sentenceFor } from "../../api/sentences";
import { Button } from "../../components/button";
import { Chips } from "../../components/chips";
import { Cover } from "../../components/cover";
import { Notice } from "../../components/notice";
import { PageHeading } from "../../components/panel";
import { useTitle } from "../../components/use_title";
import { formatMoment } from "../../format/time";
import { Link } from "../../router";
import { PlanForm } from "./plan_form";
import styles from "./shows.module.css";
import { useShows } from "./use_shows";

const TABS = [
  ["On now", ShowState.LIVE, "No show is on right now."],
  ["Coming up", ShowState.SCHEDULED, "No show is announced yet."],
  ["Over", ShowState.ENDED, "No show has ended yet."],
] as const;
const BOOKMARKED = "Bookmarked";

/** The shows: evenings on which lots come up one after another. */
export function ShowsPage() {
  useTitle("Shows");
  const session = useSession();
  const [picked, setPicked] = useState<string>(TABS[0][0]);
  const tab = TABS.find(([name]) => name === picked);
  const names = [...TABS.map(([name]) => name), ...(session ? [BOOKMARKED] : [])];
  return (
    <>
      <PageHeading title="Shows" lead="Lots come up one after another, and the room bids along." />
      <div className={styles.tabs}>
        <Chips
          label="Which shows"
          chips={names.map((name) => ({
            text: name,
            picked: name === picked,
            onPick: () => setPicked(name),
          }))}
        />
      </div>
      {tab ? (
        <List key={picked} state={tab[1]} empty={tab[2]} />
      ) : (
        <>
          <List state={ShowState.LIVE} bookmarked empty="" />
          <List state={ShowState.SCHEDULED} bookmarked empty="No bookmarked show is to come." />
        </>
      )}
      {maySell(session) ? (
        <details className={styles.plan}>
          <summary>Plan a show</summary>
          <PlanForm />
        </details>
      ) : null}
    </>
  );
}

function List({
  state,
  bookmarked = false,
  empty,
}: {
  state: ShowState;
  bookmarked?: boolean;
  empty: string;
}) {
  const list = useShows(state, bookmarked);
  const shows = list.data?.pages.flatMap((page) => page.shows);
  if (list.error && !shows) return <Notice kind="bad">{sentenceFor(failureOf(list.error))}</Notice>;
  if (!shows) return <div className={styles.loading} role="status" aria-label="Loading shows" />;
  if (shows.length === 0) return empty ? <p className={styles.empty}>{empty}</p> : null;
  return (
    <>
      <ul className={styles.grid}>
        {shows.map((show) => (
          <li key={show.showId}>
            <ShowCard show={show} />
          </li>
        ))}
      </ul>
      {list.hasNextPage ? (
        <Button kind="quiet" busy={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
          Show more
        </Button>
      ) : null}
    </>
  );
}

function ShowCard({ show }: { show: Show }) {
  const lots = show.lotIds.length === 1 ? "1 lot" : `${show.lotIds.length} lots`;
  return (
    <Link href={`/shows/${show.showId}`} className={styles.card}>
      <div className={styles.picture}>
        <Cover title={show.title} imageUrl={show.imageUrl} />
        <span className={styles.badge} data-live={show.state === ShowState.LIVE}>
          {show.state === ShowState.LIVE ? "On now" : formatMoment(milliseconds(show.startsAt))}
        </span>
      </div>
      <div className={styles.body}>
        <h2>{show.title}</h2>
        <p>
          {lots} · {show.sellerName}
        </p>
      </div>
    </Link>
  );
}
