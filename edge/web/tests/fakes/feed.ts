import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type {
  WatchAuctionRequestSchema,
  WatchAuctionResponse,
} from "@contracts/blytz/realtime/v1/realtime_service_pb";
import type { Surroundings } from "../../src/api/surroundings";

/** What a connection does: frames, and then an end, an error, or silence until it is cut. */
export interface Script {
  frames?: WatchAuctionResponse[];
  ending?: "end" | "silence" | Error;
}

/** A feed that plays one script a connection and remembers what it was asked for. */
export class FakeFeed {
  readonly requests: MessageInitShape<typeof WatchAuctionRequestSchema>[] = [];
  readonly #scripts: Script[];

  constructor(...scripts: Script[]) {
    this.#scripts = scripts;
  }

  readonly open = (
    request: MessageInitShape<typeof WatchAuctionRequestSchema>,
    { signal }: { signal: AbortSignal },
  ): AsyncIterable<WatchAuctionResponse> => {
    this.requests.push(request);
    return play(this.#scripts.shift() ?? {}, signal);
  };
}

async function* play({ frames = [], ending = "silence" }: Script, signal: AbortSignal) {
  yield* frames;
  if (ending instanceof Error) throw ending;
  if (ending === "end") return;
  await new Promise((_resolve, reject) => {
    const cut = () => reject(new ConnectError("cut", Code.Canceled));
    if (signal.aborted) cut();
    signal.addEventListener("abort", cut);
  });
}

/** Surroundings that a test changes as it likes. */
export class FakeSurroundings implements Surroundings {
  isOnline = true;
  isVisible = true;
  readonly #listeners = new Set<() => void>();

  readonly online = () => this.isOnline;
  readonly visible = () => this.isVisible;

  subscribe(listener: () => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  become(change: { isOnline?: boolean; isVisible?: boolean }) {
    Object.assign(this, change);
    for (const listener of [...this.#listeners]) listener();
  }
}
