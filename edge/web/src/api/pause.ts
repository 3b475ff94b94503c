/** Waits for a time in milliseconds; rejects with the signal's reason when it is aborted first. */
export function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const giveUp = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", giveUp);
      resolve();
    }, durationMs);
    signal?.addEventListener("abort", giveUp, { once: true });
  });
}

/**
 * Returns how long to wait before an attempt, in milliseconds: exponential, at most `longestMs`,
 * with full jitter, so that many clients that lost the same server do not come back at the same
 * moment.
 */
export function backOffMs(
  attempt: number,
  { firstMs, longestMs, random = Math.random }: BackOff,
): number {
  const ceilingMs = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 20));
  return ceilingMs * (0.2 + 0.8 * random());
}

export interface BackOff {
  firstMs: number;
  longestMs: number;
  random?: () => number;
}
