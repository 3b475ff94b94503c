import { create } from "@bufbuild/protobuf";
import {
  AuctionFormat,
  AuctionState,
  AuctionTermsSchema,
} from "@contracts/blytz/auction/v1/auction_pb";
import {
  ListBidsResponseSchema,
  OwnStandingSchema,
  PlaceBidResponseSchema,
} from "@contracts/blytz/auction/v1/auction_service_pb";
import { describe, expect, it } from "vitest";
import { fold, type RoomState } from "../../src/api/fold";
import { standingOf } from "../../src/pages/room/standing";
import { withListed } from "../../src/pages/room/use_room";
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

  it("tells nobody who leads while bids are sealed, and the winner at the end", () => {
    const terms = create(AuctionTermsSchema, { format: AuctionFormat.SEALED_SECOND_PRICE });
    const room = roomAt(4, "");
    const sealed = { ...room, auction: { ...room.auction, terms } };
    expect(standingOf(sealed, told, accepted)?.leading).toBeNull();
    const auction = { ...sealed.auction, state: AuctionState.ENDED, leaderAlias: "Me" };
    expect(standingOf({ ...sealed, auction }, told, null)?.leading).toBe(true);
  });
});

describe("a list of bids", () => {
  it("takes the place of bids that are not to be trusted, below what came later", () => {
    const room = { ...roomAt(9, "A"), bidsDoubtfulFrom: 8n };
    const position = { epoch: 1, sequence: 8n };
    const bids = [{ ...bidAt(7, 1000), retracted: true }];
    const listed = create(ListBidsResponseSchema, { position, bids });
    expect(withListed(room, listed)?.bids.map((bid) => bid.sequence)).toEqual([9n, 7n]);
    expect(withListed({ ...room, bidsDoubtfulFrom: 0n }, listed)?.bids).toBe(room.bids);
    expect(withListed({ ...room, bidsDoubtfulFrom: 9n }, listed)?.bids).toBe(room.bids);
  });
});
