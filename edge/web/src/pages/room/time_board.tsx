import { type Auction, AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { milliseconds, type RoomState } from "../../api/fold";
import { useServerTime } from "../../api/hooks";
import { TimeLeft, URGENT_BELOW_MS, useTimeLeftMs } from "../../components/time_left";
import { formatMoment } from "../../format/time";
import styles from "./time_board.module.css";

const LAST_MINUTE_MS = 60_000;
const EXTENDED_SHOWN_MS = 5_000;

/** The clock of the room, on the server's time: it turns hot when the end is near. */
export function TimeBoard({ room }: { room: RoomState }) {
  const { auction } = room;
  if (auction.state === AuctionState.LIVE) return <Running room={room} />;
  if (auction.state === AuctionState.SCHEDULED) return <Waiting auction={auction} />;
  if (auction.state === AuctionState.DRAFT) return null;
  return (
    <p className={styles.past}>
      {auction.state === AuctionState.CANCELLED ? "Was to end" : "Ended"}{" "}
      <time>{formatMoment(milliseconds(auction.endsAt))}</time>
    </p>
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
        Time left <Extended room={room} />
      </p>
      <p className={styles.time} role="timer">
        <TimeLeft endsAtMs={endsAtMs} over="Closing…" />
      </p>
      <div className={styles.track} aria-hidden="true">
        <div className={styles.bar} style={{ transform: `scaleX(${share})` }} />
      </div>
    </div>
  );
}

function Waiting({ auction }: { auction: Auction }) {
  return (
    <div className={styles.board}>
      <p className={styles.label}>Starts in</p>
      <p className={styles.time} role="timer">
        <TimeLeft endsAtMs={milliseconds(auction.startsAt)} over="Starting…" />
      </p>
    </div>
  );
}

/** Flashes when a late bid has just moved the end. */
function Extended({ room }: { room: RoomState }) {
  const now = useServerTime(1000);
  if (now - room.extendedAtMs > EXTENDED_SHOWN_MS) return null;
  return (
    <span key={room.auction.extensionCount} className={styles.extended} role="status">
      Extended
    </span>
  );
}
