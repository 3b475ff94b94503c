import { create } from "@bufbuild/protobuf";
import {
  OwnStandingSchema,
  PlaceBidResponseSchema,
} from "@contracts/blytz/auction/v1/auction_service_pb";
import { describe, expect, it } from "vitest";
import { fold, type RoomState } from "../../src/api/fold";
import { standingOf } from "../../src/pages/room/standing";
import { bidAt, bidUpdate, frameAt, snapshotAt, usd } from "../fakes/frames";

function roomAt(sequence: number, leader: string): RoomState {
  const start = fold(null, snapshotAt(sequence - 1));
  if ("resync" in start) throw new Error(start.resync);
  const updates = [bidUpdate(sequence, 1100, leader)];
  const next = fold(start.room, frameAt(sequence, { updates }));
  if ("resync" in next) throw new Error(next.resync);
  return next.room;
}

const told = create(OwnStandingSchema, { alias: "Me", leading: false, maximum: usd(900) });
const accepted = {
  maximum: usd(2000),
  response: create(PlaceBidResponseSchema, {
    bid: bidAt(5, 1100, "Me"),
    leading: true,
    position: { epoch: 1, sequence: 5n },
  }),
};

describe("the standing", () => {
  it("is none before the first bid", () => {
    expect(standingOf(roomAt(4, "A"), undefined, null)).toBeNull();
  });

  it("follows the feed", () => {
    expect(standingOf(roomAt(4, "Me"), told, null)?.leading).toBe(true);
    expect(standingOf(roomAt(4, "A"), told, null)?.leading).toBe(false);
  });

  it("takes the answer to a bid before the feed has shown it, and the feed afterwards", () => {
    expect(standingOf(roomAt(4, "A"), told, accepted)?.leading).toBe(true);
    expect(standingOf(roomAt(6, "A"), told, accepted)?.leading).toBe(false);
    expect(standingOf(roomAt(6, "A"), told, accepted)?.maximum?.amountMinor).toBe(2000n);
  });
});
