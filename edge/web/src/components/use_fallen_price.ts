import type { Auction } from "@contracts/blytz/auction/v1/auction_pb";
import { useServerTime } from "../api/hooks";
import { type FallenPrice, fallenPrice } from "../format/falling_price";

/** A price that falls by itself is looked at this often. */
const TICK_MS = 200;
const IDLE_MS = 60_000;

/** Returns what the price of a Dutch auction has come to by now; null in any other format. */
export function useFallenPrice(auction: Auction): FallenPrice | null {
  const now = useServerTime(auction.terms?.fallingPrice ? TICK_MS : IDLE_MS);
  return fallenPrice(auction, now);
}
