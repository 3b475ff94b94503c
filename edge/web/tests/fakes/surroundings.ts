import type { SessionSurroundings } from "../../src/api/session";

/** A browser's storage and lock, in memory; pages that share it are pages of one browser. */
export class FakeBrowser implements SessionSurroundings {
  readonly #kept = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();

  readonly storage = {
    getItem: (key: string) => this.#kept.get(key) ?? null,
    setItem: (key: string, value: string) => void this.#kept.set(key, value),
    removeItem: (key: string) => void this.#kept.delete(key),
  };

  exclusively<R>(task: () => Promise<R>): Promise<R> {
    const turn = this.#last.then(task, task);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
