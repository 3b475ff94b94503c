import { type Auction, AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { milliseconds, type RoomState } from "../../api/fold";
import { useServerTime } from "../../api/hooks";
import { TimeLeft, URGENT_BELOW_MS, useTimeLeftMs } from "../../components/time_left";
import { formatMoment, formatRemaining } from "../../format/time";
import styles from "./time_board.module.css";

const LAST_MINUTE_MS = 60_000;
/** From here on the time is written in words, which need more room. */
const LONG_FROM_MS = 3_600_000;
const EXTENDED_SHOWN_MS = 5_000;

/** The clock of the room, on the server's time: it turns hot when the end is near. */
export function TimeBoard({ room }: { room: RoomState }) {
  const { auction } = room;
  if (auction.state === AuctionState.LIVE) return <Running room={room} />;
  if (auction.state === AuctionState.SCHEDULED) return <Waiting auction={auction} />;
  if (auction.state === AuctionState.PAUSED) return <Stopped auction={auction} />;
  if (auction.state === AuctionState.DRAFT || auction.state === AuctionState.QUEUED) return null;
  return (
    <div className={styles.board}>
      <p className={styles.label}>
        {auction.state === AuctionState.CANCELLED ? "Was to end" : "Ended"}
      </p>
      <p className={styles.past}>{formatMoment(milliseconds(auction.endsAt))}</p>
    </div>
  );
}

function Running({ room }: { room: RoomState }) {
  const endsAtMs = milliseconds(room.auction.endsAt);
  const leftMs = useTimeLeftMs(endsAtMs);
  const urgent = leftMs < URGENT_BELOW_MS;
  const share = Math.min(1, leftMs / LAST_MINUTE_MS);
  return (
    <div className={styles.board} data-urgent={urgent}>
      <p className={styles.label}>
        <Label room={room} />
      </p>
      <p className={styles.time} role="timer" data-long={leftMs >= LONG_FROM_MS}>
        <TimeLeft endsAtMs={endsAtMs} over="Closing…" />
      </p>
      <div className={styles.track} aria-hidden="true">
        <div className={styles.bar} style={{ transform: `scaleX(${share})` }} />
      </div>
    </div>
  );
}

/** A clock that stands still. */
function Stopped({ auction }: { auction: Auction }) {
  const leftMs = milliseconds(auction.endsAt) - milliseconds(auction.pausedAt);
  const { text, spoken } = formatRemaining(leftMs);
  return (
    <div className={styles.board}>
      <p className={styles.label}>Paused, time left</p>
      <p className={styles.time} data-long={leftMs >= LONG_FROM_MS}>
        <span aria-hidden="true">{text}</span>
        <span className="visually-hidden">{spoken}</span>
      </p>
    </div>
  );
}

function Waiting({ auction }: { auction: Auction }) {
  const startsAtMs = milliseconds(auction.startsAt);
  const leftMs = useTimeLeftMs(startsAtMs);
  return (
    <div className={styles.board}>
      <p className={styles.label}>Starts in</p>
      <p className={styles.time} role="timer" data-long={leftMs >= LONG_FROM_MS}>
        <TimeLeft endsAtMs={startsAtMs} over="Starting…" />
      </p>
    </div>
  );
}

/** Names the clock; for a moment it says instead that a late bid has just moved the end. */
function Label({ room }: { room: RoomState }) {
  const now = useServerTime(1000);
  if (now - room.extendedAtMs > EXTENDED_SHOWN_MS) return <>Time left</>;
  return (
    <span key={room.auction.extensionCount} className={styles.extended} role="status">
      Extended
    </span>
  );
}
