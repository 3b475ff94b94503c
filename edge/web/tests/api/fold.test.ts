import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AuctionOutcome,
  AuctionState,
  AuctionTermsSchema,
  ReserveStatus,
} from "@contracts/blytz/auction/v1/auction_pb";
import { PositionSchema } from "@contracts/blytz/common/v1/position_pb";
import { describe, expect, it } from "vitest";
import { fold, isOver, isSold, type RoomState } from "../../src/api/fold";
import { auctionAt, bidAt, bidUpdate, frameAt, START_MS, snapshotAt, usd } from "../fakes/frames";

function roomOf(folded: ReturnType<typeof fold>): RoomState {
  if ("resync" in folded) throw new Error(folded.resync);
  return folded.room;
}

const START = roomOf(fold(null, snapshotAt(3, [bidAt(3, 1000)])));

describe("fold", () => {
  it("takes a snapshot for all that is known", () => {
    const later = roomOf(fold(START, snapshotAt(9)));
    expect(later.position.sequence).toBe(9n);
    expect(later.bids).toEqual([]);
  });

  it("applies updates in order and leaves the room before as it was", () => {
    const next = roomOf(
      fold(START, frameAt(5, { updates: [bidUpdate(4, 1050), bidUpdate(5, 1100, "B")] })),
    );
    expect(next.auction.price?.amountMinor).toBe(1100n);
    expect(next.auction.minimumNextBid?.amountMinor).toBe(1150n);
    expect(next.auction.leaderAlias).toBe("B");
    expect(next.bids.map((bid) => bid.sequence)).toEqual([5n, 4n, 3n]);
    expect(START.auction.price?.amountMinor).toBe(1000n);
    expect(START.bids).toHaveLength(1);
  });

  it("applies the updates that come with a snapshot after it", () => {
    const snapshot = { auction: auctionAt(3), recentBids: [] };
    const room = roomOf(fold(null, frameAt(4, { snapshot, updates: [bidUpdate(4, 1050)] })));
    expect(room.position.sequence).toBe(4n);
    expect(room.auction.price?.amountMinor).toBe(1050n);
  });

  it("lets a heartbeat change nothing", () => {
    expect(fold(START, frameAt(3))).toEqual({ room: START });
  });

  it("does not count an update twice", () => {
    const next = roomOf(
      fold(START, frameAt(4, { updates: [bidUpdate(3, 900), bidUpdate(4, 1050)] })),
    );
    expect(next.bids.map((bid) => bid.sequence)).toEqual([4n, 3n]);
  });

  it.each([
    ["a gap between updates", frameAt(6, { updates: [bidUpdate(4, 1050), bidUpdate(6, 1150)] })],
    ["a gap before the first update", frameAt(5, { updates: [bidUpdate(5, 1050)] })],
    ["a position beyond the updates", frameAt(5, { updates: [bidUpdate(4, 1050)] })],
    ["a heartbeat that is ahead", frameAt(4)],
  ])("asks for a snapshot after %s", (_name, frame) => {
    expect(fold(START, frame)).toHaveProperty("resync");
  });

  it("asks for a snapshot in another epoch, and before there is one", () => {
    const position = create(PositionSchema, { epoch: 2, sequence: 4n });
    expect(fold(START, { ...frameAt(4), position })).toHaveProperty("resync");
    expect(fold(null, frameAt(4, { updates: [bidUpdate(4, 1050)] }))).toHaveProperty("resync");
  });

  it("moves the end and remembers when", () => {
    const endsAt = timestampFromMs(START_MS + 90_000);
    const occurredAt = timestampFromMs(START_MS + 58_000);
    const change = { case: "extension" as const, value: { endsAt, extensionCount: 2 } };
    const room = roomOf(
      fold(START, frameAt(4, { updates: [{ sequence: 4n, occurredAt, change }] })),
    );
    expect(room.auction.endsAt).toEqual(endsAt);
    expect(room.auction.extensionCount).toBe(2);
    expect(room.extendedAtMs).toBe(START_MS + 58_000);
  });

  it("ends an auction with its outcome and price", () => {
    const value = { outcome: AuctionOutcome.SOLD, price: usd(1000), winnerAlias: "Amber Heron 27" };
    const room = roomOf(
      fold(START, frameAt(4, { updates: [{ sequence: 4n, change: { case: "end", value } }] })),
    );
    expect(room.auction.state).toBe(AuctionState.ENDED);
    expect(room.auction.outcome).toBe(AuctionOutcome.SOLD);
    expect(isOver(room.auction)).toBe(true);
  });

  it("calls an auction off with the reason", () => {
    const change = { case: "cancellation" as const, value: { reason: "Broken glass" } };
    const room = roomOf(fold(START, frameAt(4, { updates: [{ sequence: 4n, change }] })));
    expect(room.auction.state).toBe(AuctionState.CANCELLED);
    expect(room.cancellationReason).toBe("Broken glass");
  });

  it("starts an auction, and keeps what an update leaves out", () => {
    const change = { case: "auction" as const, value: auctionAt(4, { title: "Now live" }) };
    const room = roomOf(fold(START, frameAt(4, { updates: [{ sequence: 4n, change }] })));
    expect(room.auction.title).toBe("Now live");
    expect(room.auction.reserveStatus).toBe(ReserveStatus.UNSPECIFIED);
  });

  it("doubts its bids when some were taken back, until a snapshot brings others", () => {
    const two = roomOf(
      fold(START, frameAt(5, { updates: [bidUpdate(4, 1050), bidUpdate(5, 1100)] })),
    );
    expect(two.bidsDoubtfulFrom).toBe(0n);
    const change = { case: "auction" as const, value: auctionAt(6, { bidCount: 4 }) };
    const room = roomOf(fold(two, frameAt(6, { updates: [{ sequence: 6n, change }] })));
    expect(room.bidsDoubtfulFrom).toBe(6n);
    expect(room.auction.bidCount).toBe(4);
    const renewed = roomOf(fold(room, snapshotAt(7)));
    expect(renewed.bidsDoubtfulFrom).toBe(0n);
  });

  it("doubts a snapshot that lacks bids", () => {
    const snapshot = { auction: auctionAt(9, { bidCount: 3 }), recentBids: [bidAt(9, 1000)] };
    expect(roomOf(fold(null, frameAt(9, { snapshot }))).bidsDoubtfulFrom).toBe(9n);
  });

  it("offers to buy at once until a bid has reached the price, or the end", () => {
    const terms = create(AuctionTermsSchema, { buyNow: { price: usd(1100) } });
    const auction = auctionAt(3, { terms, buyNowOffered: true });
    const offered = roomOf(fold(null, frameAt(3, { snapshot: { auction } })));
    const below = roomOf(fold(offered, frameAt(4, { updates: [bidUpdate(4, 1050)] })));
    expect(below.auction.buyNowOffered).toBe(true);
    const reached = roomOf(fold(below, frameAt(5, { updates: [bidUpdate(5, 1100)] })));
    expect(reached.auction.buyNowOffered).toBe(false);
    const value = { outcome: AuctionOutcome.BOUGHT_NOW, price: usd(1100), winnerAlias: "B" };
    const bought = roomOf(
      fold(below, frameAt(5, { updates: [{ sequence: 5n, change: { case: "end", value } }] })),
    );
    expect(bought.auction.buyNowOffered).toBe(false);
    expect(isSold(bought.auction)).toBe(true);
  });

  it("learns at the end of a sealed auction who has won and that the reserve is met", () => {
    const auction = auctionAt(3, { reserveStatus: ReserveStatus.NOT_MET, leaderAlias: "" });
    const sealed = roomOf(fold(null, frameAt(3, { snapshot: { auction } })));
    const value = { outcome: AuctionOutcome.SOLD, price: usd(4711), winnerAlias: "B" };
    const room = roomOf(
      fold(sealed, frameAt(4, { updates: [{ sequence: 4n, change: { case: "end", value } }] })),
    );
    expect(room.auction.leaderAlias).toBe("B");
    expect(room.auction.reserveStatus).toBe(ReserveStatus.MET);
  });

  it("keeps its place at a change that it does not know", () => {
    const room = roomOf(fold(START, frameAt(4, { updates: [{ sequence: 4n }] })));
    expect(room.position.sequence).toBe(4n);
    expect(room.auction).toEqual(START.auction);
  });
});
