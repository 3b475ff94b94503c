import { useApi, useServerTime } from "../api/hooks";
import { formatRemaining } from "../format/time";

/** From here on the tenths of a second are shown and the colours are hot. */
export const URGENT_BELOW_MS = 10_000;

/** Returns how long it is until a moment of the server's, counting down in steps that fit. */
export function useTimeLeftMs(endsAtMs: number): number {
  const { clock } = useApi();
  const soon = Math.abs(endsAtMs - clock.now()) < URGENT_BELOW_MS + 1000;
  return Math.max(0, endsAtMs - useServerTime(soon ? 100 : 500));
}

/** The time that is left until a moment of the server's. */
export function TimeLeft({ endsAtMs, over }: { endsAtMs: number; over: string }) {
  const leftMs = useTimeLeftMs(endsAtMs);
  if (leftMs <= 0) return <span>{over}</span>;
  const { text, spoken } = formatRemaining(leftMs);
  return (
    <span data-urgent={leftMs < URGENT_BELOW_MS}>
      <span aria-hidden="true">{text}</span>
      <span className="visually-hidden">{spoken}</span>
    </span>
  );
}
