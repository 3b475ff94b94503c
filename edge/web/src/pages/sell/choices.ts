/** How long an auction may run, in seconds, as the page offers it. */
export const DURATIONS = [
  ["60", "1 minute"],
  ["120", "2 minutes"],
  ["300", "5 minutes"],
  ["600", "10 minutes"],
  ["1800", "30 minutes"],
  ["3600", "1 hour"],
  ["86400", "1 day"],
  ["259200", "3 days"],
  ["604800", "7 days"],
] as const;

/** A duration that the page offers. */
export type DurationSeconds = (typeof DURATIONS)[number][0];

/** What a late bid does, in seconds: how late it must be, which is also how much time it leaves. */
export const SOFT_CLOSES = [
  ["10", "It leaves 10 seconds for an answer"],
  ["30", "It leaves 30 seconds for an answer"],
  ["120", "It leaves 2 minutes for an answer"],
  ["0", "Nothing: the end is fixed"],
] as const;

/** A soft close that the page offers. */
export type SoftCloseSeconds = (typeof SOFT_CLOSES)[number][0];
