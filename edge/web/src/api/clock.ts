/**
 * The server's clock, as well as it can be known here: every answer and frame tells the server's
 * time when it was made. It was made before it arrived, so the largest difference seen is the best
 * one.
 */
export class ServerClock {
  static readonly #SAMPLES_MAX = 64;
  readonly #localNow: () => number;
  #offsetsMs: number[] = [];
  #offsetMs = 0;

  constructor(localNow: () => number = Date.now) {
    this.#localNow = localNow;
  }

  /** Takes note of a time, in milliseconds since 1970, that the server has just told. */
  observe(serverTimeMs: number): void {
    this.#offsetsMs.push(serverTimeMs - this.#localNow());
    if (this.#offsetsMs.length > ServerClock.#SAMPLES_MAX) this.#offsetsMs.shift();
    this.#offsetMs = Math.max(...this.#offsetsMs);
  }

  /** Returns the server's time in milliseconds since 1970. */
  now(): number {
    return this.#localNow() + this.#offsetMs;
  }
}
