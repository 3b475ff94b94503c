import { AuctionOutcome, AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { describe, expect, it } from "vitest";
import { lotsOf, moved } from "../../src/pages/shows/lots";
import { auctionAt } from "../fakes/frames";

const lot = (auctionId: string, state: AuctionState) => auctionAt(1, { auctionId, state });

describe("the lots of a show", () => {
  it("have the open one on the stage, also when it is paused", () => {
    const lots = [
      lot("a", AuctionState.ENDED),
      lot("b", AuctionState.PAUSED),
      lot("c", AuctionState.QUEUED),
      lot("d", AuctionState.QUEUED),
    ];
    const sorted = lotsOf(lots);
    expect(sorted.staged?.auctionId).toBe("b");
    expect(sorted.open).toBe(true);
    expect(sorted.waiting.map(({ auctionId }) => auctionId)).toEqual(["c", "d"]);
    expect(sorted.over.map(({ auctionId }) => auctionId)).toEqual(["a"]);
  });

  it("keep the last one on the stage until the next opens, but none that was called off", () => {
    const lots = [
      lot("a", AuctionState.ENDED),
      lot("b", AuctionState.ENDED),
      { ...lot("c", AuctionState.CANCELLED), outcome: AuctionOutcome.CANCELLED },
    ];
    expect(lotsOf(lots)).toMatchObject({ staged: { auctionId: "b" }, open: false });
    expect(lotsOf([lot("a", AuctionState.QUEUED)]).staged).toBeNull();
  });

  it("move by a place, and not beyond the ends", () => {
    expect(moved(["a", "b", "c"], "b", "up")).toEqual(["b", "a", "c"]);
    expect(moved(["a", "b", "c"], "b", "down")).toEqual(["a", "c", "b"]);
    expect(moved(["a", "b"], "a", "up")).toBeNull();
    expect(moved(["a", "b"], "b", "down")).toBeNull();
    expect(moved(["a"], "z", "down")).toBeNull();
  });
});
