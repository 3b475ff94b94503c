import { AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { type Show, ShowState } from "@contracts/blytz/auction/v1/show_pb";
import { useState } from "react";
import { sentenceFor } from "../../api/sentences";
import { useCommand } from "../../api/use_command";
import { Button } from "../../components/button";
import { Notice } from "../../components/notice";
import { Panel } from "../../components/panel";
import { AddLot } from "./add_lot";
import type { Lots } from "./lots";
import styles from "./run_panel.module.css";
import { useShowsClient } from "./use_shows_client";

type Act = "startShow" | "openNextLot" | "pauseLot" | "resumeLot" | "endShow";

/** What a seller does to run their show, as far as it may be done now. */
export function RunPanel({
  show,
  lots,
  onChanged,
}: {
  show: Show;
  lots: Lots;
  onChanged: () => Promise<void>;
}) {
  const shows = useShowsClient();
  const [ending, setEnding] = useState(false);
  const run = useCommand(async (act: Act) => {
    await shows[act]({ showId: show.showId }).finally(onChanged);
    setEnding(false);
  });
  const live = show.state === ShowState.LIVE;
  const paused = lots.staged?.state === AuctionState.PAUSED;
  const button = (act: Act, text: string, kind: "volt" | "primary" | "quiet", off = false) => (
    <Button kind={kind} disabled={run.busy || off} onClick={() => run.run(act)}>
      {text}
    </Button>
  );
  if (show.state === ShowState.ENDED) return null;
  return (
    <Panel title="Your show" lead={leadWords(show, lots)}>
      {run.failure ? <Notice kind="bad">{sentenceFor(run.failure)}</Notice> : null}
      <div className={styles.acts}>
        {live ? null : button("startShow", "Start the show", "primary")}
        {live && !lots.open
          ? button("openNextLot", "Open the next lot", "primary", lots.waiting.length === 0)
          : null}
        {lots.open && !paused ? button("pauseLot", "Pause", "quiet") : null}
        {lots.open && paused ? button("resumeLot", "Go on", "primary") : null}
        {ending ? (
          <>
            {button("endShow", "Yes, end the show", "quiet")}
            <Button kind="quiet" onClick={() => setEnding(false)}>
              Not yet
            </Button>
          </>
        ) : (
          <Button kind="quiet" onClick={() => setEnding(true)}>
            End the show
          </Button>
        )}
      </div>
      <AddLot show={show} onAdded={onChanged} />
    </Panel>
  );
}

function leadWords(show: Show, lots: Lots): string {
  const waiting = lots.waiting.length;
  const lines = waiting === 1 ? "1 lot waits." : `${waiting} lots wait.`;
  if (show.state !== ShowState.LIVE) return `Not started yet. ${lines}`;
  return lots.open ? `A lot is open. ${lines}` : `No lot is open. ${lines}`;
}
