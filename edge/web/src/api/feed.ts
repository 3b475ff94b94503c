import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type {
  WatchAuctionRequestSchema,
  WatchAuctionResponse,
} from "@contracts/blytz/realtime/v1/realtime_service_pb";
import type { ServerClock } from "./clock";
import { asStatus, failureOf } from "./failure";
import { fold, isOver, milliseconds, type RoomState } from "./fold";
import { backOffMs, pause } from "./pause";
import { type Surroundings, until } from "./surroundings";

/** Where the connection to the feed stands. */
export type FeedStatus = "connecting" | "live" | "reconnecting" | "offline" | "paused" | "finished";

/** What the feed tells: its status, and the room as far as it is known. */
export interface FeedEvent {
  readonly status: FeedStatus;
  readonly room: RoomState | null;
}

/** What a feed needs. */
export interface FeedOptions {
  auctionId: string;
  open: (
    request: MessageInitShape<typeof WatchAuctionRequestSchema>,
    options: { signal: AbortSignal },
  ) => AsyncIterable<WatchAuctionResponse>;
  clock: ServerClock;
  surroundings: Surroundings;
  signal: AbortSignal;
  random?: () => number;
}

/** The server sends a heartbeat every 20 s: after two missed ones the connection is dead. */
export const SILENCE_LONGEST_MS = 45_000;
/** Nobody has looked at the page for this long: the feed rests until somebody does. */
export const HIDDEN_LONGEST_MS = 60_000;
const BACK_OFF = { firstMs: 400, longestMs: 15_000 };
const HOPELESS = new Set([
  Code.NotFound,
  Code.PermissionDenied,
  Code.InvalidArgument,
  Code.Unimplemented,
]);

/**
 * Watches an auction for as long as it runs: connects again by itself, resumes where it was, and
 * says how it stands. Throws only what trying again cannot mend; ends when the auction is over.
 */
export async function* watchAuction(options: FeedOptions): AsyncGenerator<FeedEvent, void> {
  const { surroundings, signal } = options;
  const watch = new Watch(options);
  while (!signal.aborted) {
    if (!surroundings.online()) {
      yield watch.is("offline");
      await until(surroundings, surroundings.online, signal);
    } else if (watch.tired) {
      yield watch.is("paused");
      await until(surroundings, surroundings.visible, signal);
      watch.tired = false;
    } else {
      if (!watch.calm) yield watch.is(watch.room ? "reconnecting" : "connecting");
      yield* watch.connection();
      if (watch.room && isOver(watch.room.auction)) return yield watch.is("finished");
      if (watch.tired || !surroundings.online()) continue;
      if (watch.room && !watch.calm) yield watch.is("reconnecting");
      await watch.rest();
    }
  }
}

/** One auction's feed over all of its connections. */
class Watch {
  room: RoomState | null = null;
  /** Whether the last connection ended in good order, so that nobody needs to be told. */
  calm = false;
  /** Whether nobody has looked for so long that the feed should rest. */
  tired = false;
  #resumable = false;
  #attempts = 0;
  readonly #absence = new Absence();
  readonly #options: FeedOptions;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  is(status: FeedStatus): FeedEvent {
    return { status, room: this.room };
  }

  /**
   * Yields the room after each frame of one connection; returns when it is over, for whatever
   * cause.
   */
  async *connection(): AsyncGenerator<FeedEvent, void> {
    const { auctionId, open, clock } = this.#options;
    const line = new Line(this.#options, this.#absence);
    this.calm = false;
    try {
      const resumeFrom = this.#resumable ? this.room?.position : undefined;
      const request = resumeFrom ? { auctionId, resumeFrom } : { auctionId };
      for await (const frame of open(request, { signal: line.signal })) {
        line.heard();
        if (frame.serverTime) clock.observe(milliseconds(frame.serverTime));
        const folded = fold(this.#resumable ? this.room : null, frame);
        this.#resumable = "room" in folded;
        if ("resync" in folded) return;
        this.#attempts = 0;
        this.room = folded.room;
        yield this.is("live");
        this.calm = frame.reconnect;
        if (frame.reconnect || isOver(folded.room.auction)) return;
      }
    } catch (error) {
      if (!line.signal.aborted && HOPELESS.has(failureOf(error).code)) throw asStatus(error);
    } finally {
      this.tired = line.close();
    }
  }

  /** Waits before the next connection. */
  async rest(): Promise<void> {
    const { signal, random } = this.#options;
    const waitMs = backOffMs(this.#attempts, random ? { ...BACK_OFF, random } : BACK_OFF);
    this.#attempts += 1;
    await pause(waitMs, signal).catch(() => undefined);
  }
}

/** Since when nobody looks at the page; it outlasts a connection. */
class Absence {
  #sinceMs: number | null = null;

  /** Returns how long the feed goes on for a page that is or is not looked at; null is for ever. */
  leftMs(visible: boolean): number | null {
    this.#sinceMs = visible ? null : (this.#sinceMs ?? Date.now());
    return this.#sinceMs === null ? null : this.#sinceMs + HIDDEN_LONGEST_MS - Date.now();
  }
}

/** Cuts a connection when it is silent, when the network goes, or when nobody looks for long. */
class Line {
  readonly #controller = new AbortController();
  readonly #surroundings: Surroundings;
  readonly #absence: Absence;
  readonly #end: () => void;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #unwatched = false;

  constructor({ surroundings, signal }: FeedOptions, absence: Absence) {
    this.#absence = absence;
    this.#surroundings = surroundings;
    const cut = () => this.#controller.abort();
    signal.addEventListener("abort", cut);
    const unsubscribe = surroundings.subscribe(() => this.#look());
    this.#end = () => {
      signal.removeEventListener("abort", cut);
      unsubscribe();
    };
    if (signal.aborted) cut();
    this.heard();
    this.#look();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#controller.abort(), SILENCE_LONGEST_MS);
  }

  /** Ends the connection; returns whether that is because nobody looks. */
  close(): boolean {
    clearTimeout(this.#silence);
    clearTimeout(this.#rest);
    this.#end();
    this.#controller.abort();
    return this.#unwatched;
  }

  #look(): void {
    if (!this.#surroundings.online()) this.#controller.abort();
    clearTimeout(this.#rest);
    const leftMs = this.#absence.leftMs(this.#surroundings.visible());
    if (leftMs === null) return;
    this.#rest = setTimeout(() => {
      this.#unwatched = true;
      this.#controller.abort();
    }, leftMs);
  }
}
