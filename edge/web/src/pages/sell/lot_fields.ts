import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  AuctionFormat,
  type AuctionTermsSchema,
  BuyNowAvailability,
} from "@contracts/blytz/auction/v1/auction_pb";
import { parseAmount } from "../../format/money";
import { DEFAULT_CURRENCY_CODE } from "../wallet/payment_methods";
import {
  type ConfirmFactor,
  type DropSeconds,
  type DurationSeconds,
  FORMATS,
  type FormatName,
  FUNDING_POLICIES,
  type FundingName,
  type LotSeconds,
  type SoftCloseSeconds,
} from "./choices";

/** What a seller has typed and chosen; amounts as they typed them. */
export interface LotFields {
  title: string;
  description: string;
  imageUrl: string;
  format: FormatName;
  opening: string;
  reserve: string;
  buyNow: string;
  buyNowLasts: "until" | "whole";
  drop: string;
  dropSeconds: DropSeconds;
  floor: string;
  durationSeconds: DurationSeconds;
  lotSeconds: LotSeconds;
  startsAt: string;
  softCloseSeconds: SoftCloseSeconds;
  funding: FundingName;
  confirmFactor: ConfirmFactor;
}

export const EMPTY_LOT: LotFields = {
  title: "",
  description: "",
  imageUrl: "",
  format: "english",
  opening: "",
  reserve: "",
  buyNow: "",
  buyNowLasts: "until",
  drop: "",
  dropSeconds: "5",
  floor: "",
  durationSeconds: "300",
  lotSeconds: "30",
  startsAt: "",
  softCloseSeconds: "30",
  funding: "wallet",
  confirmFactor: "10",
};

/** The fields that hold an amount. */
export type AmountField = "opening" | "reserve" | "buyNow" | "drop" | "floor";

/** Which fields a format has beside the common ones. */
export function fieldsOf(format: FormatName) {
  const sealed = format === "sealed" || format === "vickrey";
  const dutch = format === "dutch";
  return {
    dutch,
    reserve: !dutch,
    buyNow: !dutch && !sealed,
    softClose: format === "english" || format === "live",
    confirm: !dutch,
  };
}

/** Returns an amount in minor units: null if it cannot be read, undefined if nothing is there. */
export function amountOf(text: string): bigint | null | undefined {
  return text.trim() ? parseAmount(text, DEFAULT_CURRENCY_CODE) : undefined;
}

/** The fall of a price, with what is usual where the seller has said nothing. */
export interface Fall {
  readonly dropMinor: bigint;
  readonly floorMinor: bigint;
  /** How long it takes to the floor, in seconds. */
  readonly lastsSeconds: number;
}

/** Returns how the price falls: by a twentieth, down to a half, unless the seller says more. */
export function fallOf(lot: LotFields): Fall | null {
  const openingMinor = amountOf(lot.opening);
  const drop = amountOf(lot.drop);
  const floor = amountOf(lot.floor);
  if (!openingMinor || drop === null || floor === null) return null;
  const twentieth = openingMinor / 20n;
  const dropMinor = drop ?? (twentieth > 0n ? twentieth : 1n);
  const floorMinor = floor ?? (openingMinor + 1n) / 2n;
  const way = openingMinor > floorMinor ? openingMinor - floorMinor : 0n;
  const drops = Number((way + dropMinor - 1n) / dropMinor);
  return { dropMinor, floorMinor, lastsSeconds: drops * Number(lot.dropSeconds) };
}

/** The rules of a lot in the contract's form, and its hidden reserve. */
export interface LotTerms {
  terms: MessageInitShape<typeof AuctionTermsSchema>;
  reserveMinor: bigint | undefined;
}

/** Returns the rules that the fields come to; null while an amount is missing or cannot be read. */
export function termsOf(lot: LotFields): LotTerms | null {
  const has = fieldsOf(lot.format);
  const openingMinor = amountOf(lot.opening);
  const reserveMinor = has.reserve ? amountOf(lot.reserve) : undefined;
  const buyNowMinor = has.buyNow ? amountOf(lot.buyNow) : undefined;
  const fall = has.dutch ? fallOf(lot) : undefined;
  if (!openingMinor || reserveMinor === null || buyNowMinor === null || fall === null) return null;
  const softClose = has.softClose && lot.softCloseSeconds !== "0";
  const span = durationFromMs(Number(lot.softCloseSeconds) * 1000);
  const terms: MessageInitShape<typeof AuctionTermsSchema> = {
    format: formatOf(lot.format),
    openingPrice: money(openingMinor),
    fundingPolicy: FUNDING_POLICIES[lot.funding],
    confirmAboveFactor: has.confirm ? Number(lot.confirmFactor) : 0,
    ...(softClose && { softClose: { extendWithin: span, extendBy: span, extensionsMax: 1000 } }),
    ...(buyNowMinor && {
      buyNow: { price: money(buyNowMinor), availability: AVAILABILITIES[lot.buyNowLasts] },
    }),
    ...(fall && {
      fallingPrice: {
        dropMinor: fall.dropMinor,
        floorMinor: fall.floorMinor,
        every: durationFromMs(Number(lot.dropSeconds) * 1000),
      },
    }),
  };
  return { terms, reserveMinor };
}

const AVAILABILITIES = {
  until: BuyNowAvailability.UNTIL_REACHED,
  whole: BuyNowAvailability.WHOLE_AUCTION,
};

function formatOf(name: FormatName): AuctionFormat {
  return FORMATS.find(([format]) => format === name)?.[1] ?? AuctionFormat.ENGLISH;
}

/** Returns an amount of the page's currency in the contract's form. */
export function money(amountMinor: bigint) {
  return { currencyCode: DEFAULT_CURRENCY_CODE, amountMinor };
}
