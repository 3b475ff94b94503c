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

/** What the room is when its feed runs and no bids are taken, or only ahead. */
const WAITING: Partial<Record<AuctionState, string>> = {
  [AuctionState.SCHEDULED]: "Coming up",
  [AuctionState.QUEUED]: "Up soon",
  [AuctionState.PAUSED]: "On hold",
};

/** Says whether what is shown is what is happening right now. */
export function ConnectionPill({ status, state }: { status: FeedStatus; state: AuctionState }) {
  const words = { live: WAITING[state], finished: FINISHED[state] }[status as string];
  return (
    <span className={styles.pill} data-status={status} role="status">
      {words ?? WORDS[status]}
    </span>
  );
}
