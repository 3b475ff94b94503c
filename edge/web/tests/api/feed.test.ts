import { Code, ConnectError } from "@connectrpc/connect";
import { AuctionOutcome } from "@contracts/blytz/auction/v1/auction_pb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ServerClock } from "../../src/api/clock";
import {
  type FeedStatus,
  HIDDEN_LONGEST_MS,
  SILENCE_LONGEST_MS,
  watchAuction,
} from "../../src/api/feed";
import { FakeFeed, FakeSurroundings, type Script } from "../fakes/feed";
import { AUCTION_ID, bidUpdate, frameAt, snapshotAt } from "../fakes/frames";

const BACK_OFF_LONGEST_MS = 16_000;

function start(...scripts: Script[]) {
  const feed = new FakeFeed(...scripts);
  const surroundings = new FakeSurroundings();
  const controller = new AbortController();
  const statuses: FeedStatus[] = [];
  const sequences: bigint[] = [];
  let failure: unknown;
  const watch = async () => {
    const options = { auctionId: AUCTION_ID, open: feed.open, surroundings };
    const clock = new ServerClock();
    for await (const { status, room } of watchAuction({
      ...options,
      clock,
      signal: controller.signal,
    })) {
      if (statuses.at(-1) !== status) statuses.push(status);
      if (room && sequences.at(-1) !== room.position.sequence)
        sequences.push(room.position.sequence);
    }
  };
  const done = watch().catch((error: unknown) => {
    failure = error;
  });
  return { feed, surroundings, controller, statuses, sequences, done, failure: () => failure };
}

const later = (durationMs: number) => vi.advanceTimersByTimeAsync(durationMs);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("watchAuction", () => {
  it("resumes with its last position after a lost connection", async () => {
    const lost = new ConnectError("gone", Code.Unavailable);
    const run = start(
      { frames: [snapshotAt(3), frameAt(4, { updates: [bidUpdate(4, 1050)] })], ending: lost },
      { frames: [frameAt(5, { updates: [bidUpdate(5, 1100)], recovered: true })] },
    );
    await later(BACK_OFF_LONGEST_MS);
    expect(run.feed.requests[0]).toEqual({ auctionId: AUCTION_ID });
    expect(run.feed.requests[1]?.resumeFrom).toMatchObject({ epoch: 1, sequence: 4n });
    expect(run.statuses).toEqual(["connecting", "live", "reconnecting", "live"]);
    expect(run.sequences).toEqual([3n, 4n, 5n]);
    run.controller.abort();
    await run.done;
  });

  it("tells nobody of a connection that the server ended in good order", async () => {
    const run = start(
      { frames: [snapshotAt(3), frameAt(3, { reconnect: true })], ending: "end" },
      { frames: [frameAt(3, { recovered: true })] },
    );
    await later(BACK_OFF_LONGEST_MS);
    expect(run.feed.requests).toHaveLength(2);
    expect(run.statuses).toEqual(["connecting", "live"]);
    run.controller.abort();
    await run.done;
  });

  it("asks for a snapshot after a gap", async () => {
    const run = start(
      { frames: [snapshotAt(3), frameAt(6, { updates: [bidUpdate(6, 1150)] })] },
      { frames: [snapshotAt(6)] },
    );
    await later(BACK_OFF_LONGEST_MS);
    expect(run.feed.requests[1]).toEqual({ auctionId: AUCTION_ID });
    expect(run.sequences).toEqual([3n, 6n]);
    run.controller.abort();
    await run.done;
  });

  it("takes two missed heartbeats for a dead connection", async () => {
    const run = start({ frames: [snapshotAt(3)] }, { frames: [frameAt(3, { recovered: true })] });
    await later(SILENCE_LONGEST_MS - 1);
    expect(run.feed.requests).toHaveLength(1);
    await later(BACK_OFF_LONGEST_MS);
    expect(run.feed.requests).toHaveLength(2);
    run.controller.abort();
    await run.done;
  });

  it("waits without a network and comes back at once with it", async () => {
    const run = start({ frames: [snapshotAt(3)] }, { frames: [frameAt(3, { recovered: true })] });
    await later(10);
    run.surroundings.become({ isOnline: false });
    await later(600_000);
    expect(run.statuses.at(-1)).toBe("offline");
    expect(run.feed.requests).toHaveLength(1);
    run.surroundings.become({ isOnline: true });
    await later(10);
    expect(run.statuses.at(-1)).toBe("live");
    run.controller.abort();
    await run.done;
  });

  it("rests when nobody has looked for long, and catches up", async () => {
    const run = start({ frames: [snapshotAt(3)] }, { frames: [frameAt(3, { recovered: true })] });
    await later(10);
    run.surroundings.become({ isVisible: false });
    await later(SILENCE_LONGEST_MS - 100);
    run.surroundings.become({ isVisible: true });
    run.surroundings.become({ isVisible: false });
    expect(run.feed.requests).toHaveLength(1);
    await later(HIDDEN_LONGEST_MS * 5);
    expect(run.statuses).toContain("paused");
    const before = run.feed.requests.length;
    await later(HIDDEN_LONGEST_MS * 5);
    expect(run.feed.requests).toHaveLength(before);
    run.surroundings.become({ isVisible: true });
    await later(10);
    expect(run.feed.requests).toHaveLength(before + 1);
    run.controller.abort();
    await run.done;
  });

  it("is over when the auction is", async () => {
    const change = { case: "end" as const, value: { outcome: AuctionOutcome.SOLD } };
    const run = start({
      frames: [snapshotAt(3), frameAt(4, { updates: [{ sequence: 4n, change }] })],
    });
    await later(10);
    await run.done;
    expect(run.statuses).toEqual(["connecting", "live", "finished"]);
  });

  it("gives up where trying again is hopeless", async () => {
    const run = start({ ending: new ConnectError("no such auction", Code.NotFound) });
    await later(10);
    await run.done;
    expect(run.failure()).toMatchObject({ code: Code.NotFound });
  });
});
