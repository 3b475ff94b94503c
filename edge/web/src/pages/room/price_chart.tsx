import { useEffect, useMemo, useRef, useState } from "react";
import { isOver, milliseconds, type RoomState } from "../../api/fold";
import { useServerTime } from "../../api/hooks";
import { Avatar } from "../../components/avatar";
import { colourOf } from "../../components/hues";
import { isDutch } from "../../format/auction_format";
import { formatMinor } from "../../format/money";
import { fallsOf, pricesOf, shapeOf } from "./chart";
import styles from "./price_chart.module.css";

const DOTS_MAX = 40;
const AVATAR = 30;
/** A chart that is lower than this has small dots. */
const LOW_PX = 160;

/** The price over time, drawn live: every step is a bid, every dot has its bidder's colour. */
export function PriceChart({ room }: { room: RoomState }) {
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const over = isOver(room.auction);
  const now = useServerTime(over ? 60_000 : 500);
  const bids = useMemo(() => pricesOf(room), [room]);

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      setSize({ width: Math.floor(width), height: Math.floor(height) });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const { auction } = room;
  const untilMs = over ? milliseconds(auction.endsAt) : now;
  const falls = isDutch(auction);
  const stoppedMs = auction.pausedAt ? milliseconds(auction.pausedAt) : untilMs;
  const points = falls ? fallsOf(auction, Math.min(untilMs, stoppedMs)) : bids;
  const shape = shapeOf(points, untilMs, { ...size, inset: AVATAR / 2 + 8 });
  const currency = room.auction.price?.currencyCode ?? "USD";
  const label = !shape
    ? "No bids yet"
    : falls
      ? `The price fell from ${formatMinor(shape.highestMinor, currency)} to ${formatMinor(
          shape.lowestMinor,
          currency,
        )}`
      : `The price rose from ${formatMinor(shape.lowestMinor, currency)} to ${formatMinor(
          shape.highestMinor,
          currency,
        )} in ${room.auction.bidCount} bids`;
  return (
    <figure className={styles.chart} ref={frame}>
      {shape ? (
        <svg
          className={styles.drawing}
          width={size.width}
          height={size.height}
          role="img"
          aria-label={label}
        >
          <defs>
            <linearGradient id="under-the-price" x1="0" y1="0" x2="0" y2="1">
              <stop offset="0" className={styles.glow} />
              <stop offset="1" className={styles.fade} />
            </linearGradient>
          </defs>
          <path d={shape.area} fill="url(#under-the-price)" />
          <path d={shape.line} className={styles.line} />
          {shape.dots.slice(-DOTS_MAX).map((dot) => (
            <circle
              key={`${dot.x} ${dot.y}`}
              cx={dot.x}
              cy={dot.y}
              r={size.height < LOW_PX ? 2.5 : 3.5}
              fill={colourOf(dot.alias)}
            />
          ))}
          {over ? null : (
            <circle className={styles.pulse} cx={shape.end.x} cy={shape.end.y} r="16" />
          )}
        </svg>
      ) : null}
      {shape?.end.alias ? (
        <span
          className={styles.leader}
          style={{ left: shape.end.x - AVATAR / 2, top: shape.end.y - AVATAR / 2 }}
        >
          <Avatar alias={room.auction.leaderAlias || shape.end.alias} size={AVATAR} />
        </span>
      ) : null}
      {shape && shape.highestMinor > shape.lowestMinor ? (
        <figcaption className={styles.from} aria-hidden="true">
          from {formatMinor(falls ? shape.highestMinor : shape.lowestMinor, currency)}
        </figcaption>
      ) : null}
    </figure>
  );
}
