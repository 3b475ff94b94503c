import { type Auction, AuctionState, type Bid } from "@contracts/blytz/auction/v1/auction_pb";
import { milliseconds, type RoomState } from "../../api/fold";
import { isSealed } from "../../format/auction_format";
import { fallenPrice, spanMs } from "../../format/falling_price";

/** A price at a time. */
export interface PricePoint {
  readonly atMs: number;
  readonly priceMinor: bigint;
  /** Whose bid made the price; empty for the opening price. */
  readonly alias: string;
}

/** A point of the drawing. */
export interface Dot {
  readonly x: number;
  readonly y: number;
  readonly alias: string;
}

/** What the chart draws, in pixels. */
export interface ChartShape {
  readonly line: string;
  readonly area: string;
  readonly dots: readonly Dot[];
  readonly end: Dot;
  readonly highestMinor: bigint;
  readonly lowestMinor: bigint;
}

/**
 * Returns the prices of a room in the order of time; the opening price first if all bids are known.
 * Bids that were taken back are left out, and sealed ones tell no prices.
 */
export function pricesOf({ auction, bids }: RoomState): PricePoint[] {
  if (isSealed(auction)) return [];
  const standing = bids.filter((bid) => !bid.retracted);
  const points = standing.toReversed().map((bid: Bid) => ({
    atMs: milliseconds(bid.placedAt),
    priceMinor: bid.price?.amountMinor ?? 0n,
    alias: bid.bidderAlias,
  }));
  const opening = auction.terms?.openingPrice?.amountMinor;
  const startMs = milliseconds(auction.startsAt ?? auction.createdAt);
  if (opening !== undefined && standing.length >= auction.bidCount) {
    points.unshift({ atMs: startMs, priceMinor: opening, alias: "" });
  }
  return points;
}

/** So many steps of a falling price are drawn at the most. */
const FALLS_MAX = 120;

/** Returns how the price of a Dutch auction has fallen up to a moment of the server's. */
export function fallsOf(auction: Auction, untilMs: number): PricePoint[] {
  const startMs = milliseconds(auction.startsAt);
  const everyMs = spanMs(auction.terms?.fallingPrice?.every);
  if (!startMs || everyMs <= 0 || untilMs < startMs) return [];
  // As seen while it ran: the schedule goes on for an auction that is over, the price does not.
  const running = { ...auction, state: AuctionState.LIVE };
  const falls = Math.floor((untilMs - startMs) / everyMs);
  const strideMs = everyMs * Math.max(1, Math.ceil(falls / FALLS_MAX));
  const points: PricePoint[] = [];
  for (let atMs = startMs; atMs <= untilMs; atMs += strideMs) {
    const priceMinor = fallenPrice(running, atMs)?.amountMinor ?? 0n;
    points.push({ atMs, priceMinor, alias: "" });
  }
  return points;
}

/**
 * Draws prices as a staircase over time: a price stands until the next bid. The room above the line
 * and the floor below it are part of the height, so that the first step is visible too.
 */
export function shapeOf(
  points: readonly PricePoint[],
  nowMs: number,
  { width, height, inset }: { width: number; height: number; inset: number },
): ChartShape | null {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || width <= 2 * inset) return null;
  const spanMs = Math.max(1, Math.max(nowMs, last.atMs) - first.atMs);
  const prices = points.map((point) => point.priceMinor);
  const lowestMinor = prices.reduce((one, other) => (other < one ? other : one));
  const highestMinor = prices.reduce((one, other) => (other > one ? other : one));
  const rise = Number(highestMinor - lowestMinor) || 1;
  const x = (atMs: number) => inset + ((atMs - first.atMs) / spanMs) * (width - 2 * inset);
  const y = (priceMinor: bigint) =>
    height - inset - (Number(priceMinor - lowestMinor) / rise) * (height - 2 * inset) * 0.92;
  const dots = points.map(({ atMs, priceMinor, alias }) => ({
    x: round(x(atMs)),
    y: round(y(priceMinor)),
    alias,
  }));
  const end = { x: round(width - inset), y: round(y(last.priceMinor)), alias: last.alias };
  const steps = dots.map((dot, index) =>
    index === 0 ? `M${dot.x} ${dot.y}` : `H${dot.x}V${dot.y}`,
  );
  const line = `${steps.join("")}H${end.x}`;
  const area = `${line}V${height}H${round(inset)}Z`;
  return {
    line,
    area,
    dots: dots.filter((dot) => dot.alias),
    end,
    highestMinor,
    lowestMinor,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
