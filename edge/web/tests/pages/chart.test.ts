import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { AuctionFormat, AuctionTermsSchema } from "@contracts/blytz/auction/v1/auction_pb";
import { describe, expect, it } from "vitest";
import { fallsOf, pricesOf, shapeOf } from "../../src/pages/room/chart";
import { auctionAt, bidAt, START_MS } from "../fakes/frames";

const SIZE = { width: 200, height: 100, inset: 10 };

function roomOf(bidCount: number) {
  const auction = auctionAt(3, { bidCount });
  const bids = [bidAt(3, 1200, "B"), bidAt(2, 1100, "A")];
  const position = auction.position;
  if (!position) throw new Error("the fake auction has a position");
  return { auction, bids, position, bidsDoubtfulFrom: 0n, extendedAtMs: 0, cancellationReason: "" };
}

describe("the chart", () => {
  it("starts at the opening price when every bid is known", () => {
    expect(pricesOf(roomOf(2)).map((point) => point.priceMinor)).toEqual([1000n, 1100n, 1200n]);
    expect(pricesOf(roomOf(9)).map((point) => point.priceMinor)).toEqual([1100n, 1200n]);
  });

  it("is a staircase that ends now, at the price", () => {
    const shape = shapeOf(pricesOf(roomOf(2)), START_MS + 4000, SIZE);
    expect(shape?.line).toMatch(/^M10 90H100V.*H145V.*H190$/);
    expect(shape?.end.x).toBe(190);
    expect(shape?.dots.map((dot) => dot.alias)).toEqual(["A", "B"]);
    expect(shape?.highestMinor).toBe(1200n);
  });

  it("draws nothing without prices or without room", () => {
    expect(shapeOf([], START_MS, SIZE)).toBeNull();
    expect(shapeOf(pricesOf(roomOf(2)), START_MS, { ...SIZE, width: 0 })).toBeNull();
  });

  it("draws one price as a level line", () => {
    const shape = shapeOf([{ atMs: START_MS, priceMinor: 1000n, alias: "" }], START_MS, SIZE);
    expect(shape?.line).toBe("M10 90H190");
  });

  it("leaves out what was taken back, and all of what is sealed", () => {
    const room = roomOf(1);
    const bids = room.bids.map((bid, index) => ({ ...bid, retracted: index === 0 }));
    expect(pricesOf({ ...room, bids }).map((point) => point.priceMinor)).toEqual([1000n, 1100n]);
    const terms = create(AuctionTermsSchema, { format: AuctionFormat.SEALED_FIRST_PRICE });
    expect(pricesOf({ ...room, auction: { ...room.auction, terms } })).toEqual([]);
  });

  it("draws a falling price from the top down, in a bounded number of steps", () => {
    const terms = create(AuctionTermsSchema, {
      format: AuctionFormat.DUTCH,
      openingPrice: { currencyCode: "USD", amountMinor: 1000n },
      fallingPrice: { dropMinor: 100n, floorMinor: 100n, every: durationFromMs(1000) },
    });
    const auction = auctionAt(3, { terms });
    const points = fallsOf(auction, START_MS + 2500);
    expect(points.map((point) => point.priceMinor)).toEqual([1000n, 900n, 800n]);
    const shape = shapeOf(points, START_MS + 2500, SIZE);
    expect(shape?.line).toMatch(/^M10 16\.4H.*V90H190$/);
    expect(fallsOf(auction, START_MS + 86_400_000).length).toBeLessThan(130);
  });
});
