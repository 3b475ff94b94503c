import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AuctionFormat,
  AuctionState,
  AuctionTermsSchema,
} from "@contracts/blytz/auction/v1/auction_pb";
import { describe, expect, it } from "vitest";
import { fallenPrice } from "../../src/format/falling_price";
import { auctionAt, START_MS, usd } from "../fakes/frames";

const EVERY_MS = 10_000;
const terms = create(AuctionTermsSchema, {
  format: AuctionFormat.DUTCH,
  openingPrice: usd(1000),
  fallingPrice: { dropMinor: 300n, floorMinor: 250n, every: durationFromMs(EVERY_MS) },
});
const dutch = (fields: Parameters<typeof auctionAt>[1] = {}) => auctionAt(3, { terms, ...fields });
const intervalsIn = (intervals: number) => START_MS + intervals * EVERY_MS;

describe("a falling price", () => {
  it.each([
    [-1, 1000n],
    [0, 1000n],
    [0.99, 1000n],
    [1, 700n],
    [2.5, 400n],
    [3, 250n],
    [900, 250n],
  ])("has fallen once for each whole interval: after %d it is %d", (intervals, amountMinor) => {
    expect(fallenPrice(dutch(), intervalsIn(intervals))?.amountMinor).toBe(amountMinor);
  });

  it("falls next at the end of the interval, and not below its floor", () => {
    expect(fallenPrice(dutch(), intervalsIn(1.2))?.nextDropAtMs).toBe(intervalsIn(2));
    expect(fallenPrice(dutch(), intervalsIn(3))?.nextDropAtMs).toBeNull();
  });

  it("takes no notice of the time on pause", () => {
    const pausedFor = durationFromMs(15_000);
    expect(fallenPrice(dutch({ pausedFor }), intervalsIn(2.4))?.amountMinor).toBe(1000n);
    expect(fallenPrice(dutch({ pausedFor }), intervalsIn(2.5))?.amountMinor).toBe(700n);
    const paused = dutch({
      state: AuctionState.PAUSED,
      pausedAt: timestampFromMs(intervalsIn(1.5)),
    });
    expect(fallenPrice(paused, intervalsIn(40))).toMatchObject({
      amountMinor: 700n,
      nextDropAtMs: null,
    });
  });

  it("stands still before the start, and is none in any other format", () => {
    const queued = dutch({ state: AuctionState.QUEUED });
    expect(fallenPrice(queued, intervalsIn(5))?.amountMinor).toBe(1000n);
    expect(fallenPrice(auctionAt(3), intervalsIn(5))).toBeNull();
  });
});
