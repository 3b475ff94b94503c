import { type Auction, AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { isOver } from "../../api/fold";

/** The lots of a show by where they stand, each group in the order of the show. */
export interface Lots {
  /** The lot that everybody looks at: the open one, or the one that was open last; null before. */
  readonly staged: Auction | null;
  readonly open: boolean;
  readonly waiting: readonly Auction[];
  readonly over: readonly Auction[];
}

/** Sorts the lots of a show by where they stand. */
export function lotsOf(lots: readonly Auction[]): Lots {
  const open = lots.find(
    ({ state }) => state === AuctionState.LIVE || state === AuctionState.PAUSED,
  );
  const over = lots.filter(isOver);
  const ended = over.filter(({ state }) => state === AuctionState.ENDED);
  return {
    staged: open ?? ended.at(-1) ?? null,
    open: open !== undefined,
    waiting: lots.filter(({ state }) => state === AuctionState.QUEUED),
    over,
  };
}

/** Returns the ids in their order after one has moved by a place; null where there is none. */
export function moved(
  ids: readonly string[],
  id: string,
  direction: "up" | "down",
): string[] | null {
  const from = ids.indexOf(id);
  const to = from + (direction === "up" ? -1 : 1);
  const other = ids[to];
  if (from < 0 || other === undefined) return null;
  return ids.map((one, index) => (index === from ? other : index === to ? id : one));
}
