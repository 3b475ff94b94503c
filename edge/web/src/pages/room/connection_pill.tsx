import { AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import type { FeedStatus } from "../../api/feed";
import styles from "./connection_pill.module.css";

const WORDS: Record<FeedStatus, string> = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  offline: "You are offline",
  paused: "Paused",
  finished: "Over",
};

const FINISHED: Partial<Record<AuctionState, string>> = {
  [AuctionState.DRAFT]: "Draft",
  [AuctionState.CANCELLED]: "Called off",
};

/** Says whether what is shown is what is happening right now. */
export function ConnectionPill({ status, state }: { status: FeedStatus; state: AuctionState }) {
  const announced = status === "live" && state === AuctionState.SCHEDULED;
  const words = announced ? "Coming up" : status === "finished" ? FINISHED[state] : undefined;
  return (
    <span className={styles.pill} data-status={status} role="status">
      {words ?? WORDS[status]}
    </span>
  );
}
