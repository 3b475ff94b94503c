import {
  AuctionFormat,
  BuyNowAvailability,
  FundingPolicy,
} from "@contracts/blytz/auction/v1/auction_pb";
import { describe, expect, it } from "vitest";
import { EMPTY_LOT, fallOf, type LotFields, termsOf } from "../../src/pages/sell/lot_fields";

const lot = (fields: Partial<LotFields>): LotFields => ({
  ...EMPTY_LOT,
  opening: "100",
  ...fields,
});

describe("the rules of a lot", () => {
  it("are none until every amount can be read", () => {
    expect(termsOf(EMPTY_LOT)).toBeNull();
    expect(termsOf(lot({ reserve: "lots" }))).toBeNull();
    expect(termsOf(lot({ buyNow: "much" }))).toBeNull();
    expect(termsOf(lot({ format: "dutch", floor: "little" }))).toBeNull();
  });

  it("are those of a careful seller unless they say otherwise", () => {
    const rules = termsOf(lot({ reserve: "150", buyNow: "500", buyNowLasts: "whole" }));
    expect(rules?.reserveMinor).toBe(15_000n);
    expect(rules?.terms).toMatchObject({
      format: AuctionFormat.ENGLISH,
      fundingPolicy: FundingPolicy.WALLET_HOLD,
      confirmAboveFactor: 10,
      softClose: { extensionsMax: 1000 },
      buyNow: { availability: BuyNowAvailability.WHOLE_AUCTION },
    });
  });

  it("leave out what a format does not have", () => {
    const typed = { reserve: "150", buyNow: "500" };
    const dutch = termsOf(lot({ ...typed, format: "dutch" }));
    expect(dutch?.reserveMinor).toBeUndefined();
    expect(dutch?.terms).not.toHaveProperty("buyNow");
    expect(dutch?.terms).not.toHaveProperty("softClose");
    expect(dutch?.terms).toMatchObject({ confirmAboveFactor: 0 });
    const sealed = termsOf(lot({ ...typed, format: "vickrey", funding: "card" }));
    expect(sealed?.terms).not.toHaveProperty("buyNow");
    expect(sealed?.terms).not.toHaveProperty("softClose");
    expect(sealed?.terms).toMatchObject({ fundingPolicy: FundingPolicy.SAVED_CARD });
    expect(sealed?.reserveMinor).toBe(15_000n);
    expect(termsOf(lot({ format: "sudden" }))?.terms).not.toHaveProperty("softClose");
  });
});

describe("the fall of a price", () => {
  it("is by a twentieth down to a half, unless the seller says otherwise", () => {
    const usual = { dropMinor: 500n, floorMinor: 5000n, lastsSeconds: 50 };
    expect(fallOf(lot({ format: "dutch" }))).toEqual(usual);
    const own = fallOf(lot({ drop: "30", floor: "20", dropSeconds: "10" }));
    expect(own).toEqual({ dropMinor: 3000n, floorMinor: 2000n, lastsSeconds: 30 });
    expect(fallOf(lot({ opening: "0.01" }))).toMatchObject({ dropMinor: 1n, floorMinor: 1n });
  });
});
