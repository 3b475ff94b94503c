/** What the page knows about the device: whether there is a network and whether anybody looks. */
export interface Surroundings {
  online(): boolean;
  visible(): boolean;
  /** Calls the listener when either may have changed; returns the way to stop that. */
  subscribe(listener: () => void): () => void;
}

/** The surroundings of a page in a browser. */
export const browserSurroundings: Surroundings = {
  online: () => navigator.onLine,
  visible: () => document.visibilityState === "visible",
  subscribe(listener) {
    window.addEventListener("online", listener);
    window.addEventListener("offline", listener);
    document.addEventListener("visibilitychange", listener);
    return () => {
      window.removeEventListener("online", listener);
      window.removeEventListener("offline", listener);
      document.removeEventListener("visibilitychange", listener);
    };
  },
};

/** Waits until a condition on the surroundings holds; returns early when the signal is aborted. */
export function until(
  surroundings: Surroundings,
  condition: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      unsubscribe();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const unsubscribe = surroundings.subscribe(() => condition() && finish());
    signal.addEventListener("abort", finish);
    if (condition() || signal.aborted) finish();
  });
}
