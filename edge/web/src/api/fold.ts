import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type Auction,
  AuctionOutcome,
  AuctionState,
  type Bid,
} from "@contracts/blytz/auction/v1/auction_pb";
import type { Position } from "@contracts/blytz/common/v1/position_pb";
import type {
  AuctionUpdate,
  WatchAuctionResponse,
} from "@contracts/blytz/realtime/v1/realtime_service_pb";

const BIDS_MAX = 400;

/** Everything that the auction room shows, as of one position of the auction's events. */
export interface RoomState {
  readonly auction: Auction;
  /** Accepted bids, newest first; the oldest may be missing. */
  readonly bids: readonly Bid[];
  readonly position: Position;
  /** When a late bid last moved the end, in the server's milliseconds; 0 if that was not seen. */
  readonly extendedAtMs: number;
  /** Why the auction was called off; empty if it was not. */
  readonly cancellationReason: string;
}

/** A frame either leads to the next state, or shows that only a fresh snapshot can. */
export type Folded = { room: RoomState } | { resync: string };

/** Applies one frame to a room. Pure: neither argument is changed. */
export function fold(room: RoomState | null, frame: WatchAuctionResponse): Folded {
  const { position } = frame;
  if (!position) return { resync: "a frame without a position" };
  let next = room;
  if (frame.snapshot) {
    if (!frame.snapshot.auction) return { resync: "a snapshot without an auction" };
    next = {
      auction: frame.snapshot.auction,
      bids: frame.snapshot.recentBids,
      // The updates of this frame come after the snapshot, so the snapshot's own position counts
      // first.
      position: frame.snapshot.auction.position ?? position,
      extendedAtMs: 0,
      cancellationReason: "",
    };
  }
  if (!next) return { resync: "updates before a snapshot" };
  if (next.position.epoch !== position.epoch) return { resync: "another epoch" };
  for (const update of frame.updates) {
    if (update.sequence <= next.position.sequence) continue;
    if (update.sequence !== next.position.sequence + 1n) return { resync: "a gap between updates" };
    next = { ...apply(next, update), position: { ...next.position, sequence: update.sequence } };
  }
  if (position.sequence > next.position.sequence) {
    return frame.snapshot && frame.updates.length === 0
      ? { room: { ...next, position } }
      : { resync: "a gap before the frame's position" };
  }
  return { room: next };
}

function apply(room: RoomState, { change, occurredAt }: AuctionUpdate): RoomState {
  const { auction } = room;
  switch (change.case) {
    case "bid": {
      const { bid, minimumNextBid, bidCount, reserveStatus } = change.value;
      if (!bid) return room;
      return {
        ...room,
        auction: merged(auction, {
          price: bid.price,
          leaderAlias: bid.leaderAlias,
          minimumNextBid,
          bidCount,
          reserveStatus,
        }),
        bids: [bid, ...room.bids].slice(0, BIDS_MAX),
      };
    }
    case "extension": {
      const { endsAt, extensionCount } = change.value;
      const extendedAtMs = milliseconds(occurredAt);
      return { ...room, auction: merged(auction, { endsAt, extensionCount }), extendedAtMs };
    }
    case "auction":
      return { ...room, auction: change.value };
    case "end": {
      const { outcome, price, endedAt, bidLogHead } = change.value;
      const state = AuctionState.ENDED;
      const ended = { state, outcome, price, endsAt: endedAt, bidLogHead };
      return { ...room, auction: merged(auction, ended) };
    }
    case "cancellation": {
      const state = AuctionState.CANCELLED;
      return {
        ...room,
        auction: merged(auction, { state, outcome: AuctionOutcome.CANCELLED }),
        cancellationReason: change.value.reason,
      };
    }
    default:
      // A change that this page does not know yet still has its place in the sequence.
      return room;
  }
}

/** Returns the auction with the given fields; a field that the update left out keeps its value. */
function merged(
  auction: Auction,
  fields: { [Key in keyof Auction]?: Auction[Key] | undefined },
): Auction {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...auction, ...Object.fromEntries(given) };
}

/** Returns a timestamp in milliseconds since 1970; 0 if it is absent. */
export function milliseconds(timestamp: Timestamp | undefined): number {
  return timestamp ? timestampMs(timestamp) : 0;
}

/** Says whether nothing more can happen in an auction. */
export function isOver(auction: Auction): boolean {
  return auction.state === AuctionState.ENDED || auction.state === AuctionState.CANCELLED;
}
