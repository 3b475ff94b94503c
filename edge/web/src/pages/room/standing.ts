import type { OwnStanding, PlaceBidResponse } from "@contracts/blytz/auction/v1/auction_service_pb";
import type { Money } from "@contracts/blytz/common/v1/money_pb";
import { isOver, type RoomState } from "../../api/fold";
import { isSealed } from "../../format/auction_format";

/** Where the signed-in person stands in an auction. */
export interface Standing {
  readonly alias: string;
  /** Whether they lead; null while bids are sealed, since then nobody is told. */
  readonly leading: boolean | null;
  readonly maximum: Money | undefined;
}

/** A bid of this page that the server has accepted. */
export interface AcceptedBid {
  readonly maximum: Money;
  readonly response: PlaceBidResponse;
}

/**
 * Returns the person's standing from what the server has said: the later of its answer to their
 * last bid and the feed. Null before their first bid.
 */
export function standingOf(
  room: RoomState,
  told: OwnStanding | undefined,
  accepted: AcceptedBid | null,
): Standing | null {
  const alias = accepted?.response.bid?.bidderAlias ?? told?.alias;
  if (!alias) return null;
  const answeredAt = accepted?.response.position;
  const answerIsLater = answeredAt !== undefined && answeredAt.sequence > room.position.sequence;
  const maximum = higher(accepted?.maximum, told?.maximum);
  if (isSealed(room.auction) && !isOver(room.auction)) return { alias, leading: null, maximum };
  const leading = answerIsLater
    ? accepted?.response.leading === true
    : room.auction.leaderAlias === alias;
  return { alias, leading, maximum };
}

function higher(one: Money | undefined, other: Money | undefined): Money | undefined {
  if (!one || !other) return one ?? other;
  return one.amountMinor >= other.amountMinor ? one : other;
}
