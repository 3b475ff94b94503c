import { AuctionFormat, FundingPolicy } from "@contracts/blytz/auction/v1/auction_pb";

/** How long an auction may run, in seconds, as the page offers it. */
export const DURATIONS = [
  ["60", "1 minute"],
  ["120", "2 minutes"],
  ["300", "5 minutes"],
  ["600", "10 minutes"],
  ["1800", "30 minutes"],
  ["3600", "1 hour"],
  ["86400", "1 day"],
  ["259200", "3 days"],
  ["604800", "7 days"],
] as const;

/** A duration that the page offers. */
export type DurationSeconds = (typeof DURATIONS)[number][0];

/** The longest that a live lot may run, in seconds. */
export const LIVE_SECONDS_MAX = 3600;

/** How long a lot of a show stays open, in seconds. */
export const LOT_DURATIONS = [
  ["15", "15 seconds"],
  ["30", "30 seconds"],
  ["60", "1 minute"],
  ["120", "2 minutes"],
  ["300", "5 minutes"],
] as const;

/** A duration of a lot that the page offers. */
export type LotSeconds = (typeof LOT_DURATIONS)[number][0];

/** What a late bid does, in seconds: how late it must be, which is also how much time it leaves. */
export const SOFT_CLOSES = [
  ["10", "It leaves 10 seconds for an answer"],
  ["30", "It leaves 30 seconds for an answer"],
  ["120", "It leaves 2 minutes for an answer"],
  ["0", "Nothing: the end is fixed"],
] as const;

/** A soft close that the page offers. */
export type SoftCloseSeconds = (typeof SOFT_CLOSES)[number][0];

/** How often a falling price falls, in seconds. */
export const DROP_INTERVALS = [
  ["2", "Every 2 seconds"],
  ["5", "Every 5 seconds"],
  ["10", "Every 10 seconds"],
  ["30", "Every 30 seconds"],
  ["60", "Every minute"],
  ["3600", "Every hour"],
] as const;

/** An interval that the page offers. */
export type DropSeconds = (typeof DROP_INTERVALS)[number][0];

/** The formats that a seller chooses from, each in a seller's words. */
export const FORMATS = [
  ["english", AuctionFormat.ENGLISH, "Highest bid", "The classic: people outbid each other."],
  ["live", AuctionFormat.LIVE_LOT, "Live lot", "The same, quick: an hour at most, bigger steps."],
  ["sudden", AuctionFormat.SUDDEN_DEATH, "Sudden death", "The end never moves."],
  ["dutch", AuctionFormat.DUTCH, "Falling price", "It gets cheaper until somebody takes it."],
  ["sealed", AuctionFormat.SEALED_FIRST_PRICE, "Sealed bids", "Secret. The highest pays its bid."],
  [
    "vickrey",
    AuctionFormat.SEALED_SECOND_PRICE,
    "Sealed, second price",
    "Secret. The highest pays the second-highest.",
  ],
] as const;

/** A format that the page offers. */
export type FormatName = (typeof FORMATS)[number][0];

/** Who may bid, and what stands for their bids. */
export const FUNDINGS = [
  ["wallet", "Only funded bids: they are held from the wallet"],
  ["card", "Only people with a saved card"],
  ["open", "Anybody: the winner pays afterwards"],
] as const;

/** A way of funding that the page offers. */
export type FundingName = (typeof FUNDINGS)[number][0];

export const FUNDING_POLICIES: Record<FundingName, FundingPolicy> = {
  wallet: FundingPolicy.WALLET_HOLD,
  card: FundingPolicy.SAVED_CARD,
  open: FundingPolicy.OPEN,
};

/** From how many times the price on a bid has to be confirmed; 0 is never. */
export const CONFIRM_FACTORS = [
  ["5", "5 times the price"],
  ["10", "10 times the price"],
  ["50", "50 times the price"],
  ["0", "Never ask"],
] as const;

/** A factor that the page offers. */
export type ConfirmFactor = (typeof CONFIRM_FACTORS)[number][0];
