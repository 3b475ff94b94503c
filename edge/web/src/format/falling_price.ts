import type { Duration } from "@bufbuild/protobuf/wkt";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Auction, AuctionState } from "@contracts/blytz/auction/v1/auction_pb";

/** What a falling price has come to. */
export interface FallenPrice {
  readonly amountMinor: bigint;
  /** When it falls again, in the server's milliseconds; null if it does not fall any more. */
  readonly nextDropAtMs: number | null;
  readonly dropMinor: bigint;
  /** How long each price stays. */
  readonly everyMs: number;
}

/**
 * Returns the price of a Dutch auction at a moment of the server's: it has fallen once for each
 * whole interval since the start, not counting the time on pause. Null if the price does not fall.
 */
export function fallenPrice(auction: Auction, nowMs: number): FallenPrice | null {
  const { terms, startsAt, pausedAt, pausedFor, state } = auction;
  const falling = terms?.fallingPrice;
  const openingMinor = terms?.openingPrice?.amountMinor;
  if (!falling || openingMinor === undefined) return null;
  const { dropMinor, floorMinor } = falling;
  const everyMs = spanMs(falling.every);
  const started = state === AuctionState.LIVE || state === AuctionState.PAUSED;
  if (!started || !startsAt || everyMs <= 0) {
    return { amountMinor: openingMinor, nextDropAtMs: null, dropMinor, everyMs };
  }
  const fromMs = timestampMs(startsAt) + spanMs(pausedFor);
  const untilMs = pausedAt ? timestampMs(pausedAt) : nowMs;
  const drops = Math.max(0, Math.floor((untilMs - fromMs) / everyMs));
  const fallenMinor = openingMinor - BigInt(drops) * dropMinor;
  const atFloor = fallenMinor <= floorMinor;
  return {
    amountMinor: atFloor ? floorMinor : fallenMinor,
    nextDropAtMs: atFloor || pausedAt ? null : fromMs + (drops + 1) * everyMs,
    dropMinor,
    everyMs,
  };
}

/** Returns a span of the contract's in milliseconds; 0 if it is absent. */
export function spanMs(span: Duration | undefined): number {
  return span ? Number(span.seconds) * 1000 + span.nanos / 1e6 : 0;
}
