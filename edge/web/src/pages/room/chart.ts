import type { Bid } from "@contracts/blytz/auction/v1/auction_pb";
import { milliseconds, type RoomState } from "../../api/fold";

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
 */
export function pricesOf({ auction, bids }: RoomState): PricePoint[] {
  const points = bids.toReversed().map((bid: Bid) => ({
    atMs: milliseconds(bid.placedAt),
    priceMinor: bid.price?.amountMinor ?? 0n,
    alias: bid.bidderAlias,
  }));
  const opening = auction.terms?.openingPrice?.amountMinor;
  const startMs = milliseconds(auction.startsAt ?? auction.createdAt);
  if (opening !== undefined && bids.length >= auction.bidCount) {
    points.unshift({ atMs: startMs, priceMinor: opening, alias: "" });
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
  const rise = Number(last.priceMinor - first.priceMinor) || 1;
  const x = (atMs: number) => inset + ((atMs - first.atMs) / spanMs) * (width - 2 * inset);
  const y = (priceMinor: bigint) =>
    height - inset - (Number(priceMinor - first.priceMinor) / rise) * (height - 2 * inset) * 0.92;
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
    highestMinor: last.priceMinor,
    lowestMinor: first.priceMinor,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
