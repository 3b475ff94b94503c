import type { Duration } from "@bufbuild/protobuf/wkt";
import { locale } from "./money";

/** How a countdown reads: a number to show large, and the same for a screen reader. */
export interface Remaining {
  readonly text: string;
  readonly spoken: string;
}

type Unit = "day" | "hour" | "minute" | "second";

const narrow = (unit: Unit, value: number) =>
  new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "narrow" }).format(value);
const long = (unit: Unit, value: number) =>
  new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(value);
const twoDigits = new Intl.NumberFormat(locale, { minimumIntegerDigits: 2 });
const tenths = new Intl.NumberFormat(locale, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
  roundingMode: "floor",
} as Intl.NumberFormatOptions);

/**
 * Writes a time that is left, in milliseconds: days, hours, minutes and seconds, tenths at the end.
 */
export function formatRemaining(leftMs: number): Remaining {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  if (leftMs < 10_000) {
    const text = tenths.format(Math.max(0, leftMs) / 1000);
    return { text, spoken: long("second", seconds) };
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    const text = `${minutes}:${twoDigits.format(seconds % 60)}`;
    const spoken = `${long("minute", minutes)} ${long("second", seconds % 60)}`;
    return { text, spoken: minutes ? spoken : long("second", seconds) };
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return both([hours, "hour"], [minutes % 60, "minute"]);
  return both([Math.floor(hours / 24), "day"], [hours % 24, "hour"]);
}

function both(...parts: [number, Unit][]): Remaining {
  return {
    text: parts.map(([value, unit]) => narrow(unit, value)).join(" "),
    spoken: parts.map(([value, unit]) => long(unit, value)).join(" "),
  };
}

const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" });

/** Says how long ago something was, for example `12s ago`. */
export function formatAgo(agoMs: number): string {
  const seconds = Math.max(0, Math.round(agoMs / 1000));
  if (seconds < 60) return relative.format(-seconds, "second");
  if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86_400) return relative.format(-Math.floor(seconds / 3600), "hour");
  return relative.format(-Math.floor(seconds / 86_400), "day");
}

const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

/** Writes a moment in the person's own time zone, for example `Nov 22, 2026, 8:15 PM`. */
export function formatMoment(timeMs: number): string {
  return moment.format(timeMs);
}

/** Writes a span of the contract's, for example `30 sec`. */
export function formatSpan(span: Duration | undefined): string {
  const seconds = Number(span?.seconds ?? 0n);
  const [value, unit] =
    seconds >= 120 && seconds % 60 === 0 ? [seconds / 60, "minute"] : [seconds, "second"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(value);
}
