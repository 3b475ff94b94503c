import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type Auction,
  AuctionOutcome,
  AuctionState,
  type Bid,
  ReserveStatus,
} from "@contracts/blytz/auction/v1/auction_pb";
import type { Position } from "@contracts/blytz/common/v1/position_pb";
import type {
  AuctionSnapshot,
  AuctionUpdate,
  WatchAuctionResponse,
} from "@contracts/blytz/realtime/v1/realtime_service_pb";

const BIDS_MAX = 400;
/** So many bids a snapshot has, if there are as many. */
const SNAPSHOT_BIDS_MAX = 50;

/** Everything that the auction room shows, as of one position of the auction's events. */
export interface RoomState {
  readonly auction: Auction;
  /** Accepted bids, newest first; the oldest may be missing. */
  readonly bids: readonly Bid[];
  /**
   * The event from which on `bids` is not to be trusted, because bids were taken back and the feed
   * does not say which; 0 if it is. A list of bids that is as new as this tells.
   */
  readonly bidsDoubtfulFrom: bigint;
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
      bidsDoubtfulFrom: complete(frame.snapshot) ? 0n : position.sequence,
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
    next = { ...entered(next, update), position: { ...next.position, sequence: update.sequence } };
  }
  if (position.sequence > next.position.sequence) {
    return frame.snapshot && frame.updates.length === 0
      ? { room: { ...next, position } }
      : { resync: "a gap before the frame's position" };
  }
  return { room: next };
}

function complete({ auction, recentBids }: AuctionSnapshot): boolean {
  return recentBids.length >= Math.min(auction?.bidCount ?? 0, SNAPSHOT_BIDS_MAX);
}

function entered(room: RoomState, update: AuctionUpdate): RoomState {
  const next = apply(room, update);
  const takenBack = next.auction.bidCount < room.auction.bidCount;
  return takenBack ? { ...next, bidsDoubtfulFrom: update.sequence } : next;
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
          buyNowOffered: stillOffered(auction, bid),
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
      const { outcome, price, endedAt, bidLogHead, winnerAlias } = change.value;
      const ended = { ...OVER, state: AuctionState.ENDED, outcome, price, endsAt: endedAt };
      // The end of a sealed auction reveals who has won, and with it that the reserve is met.
      const revealed = winnerAlias && { leaderAlias: winnerAlias, reserveStatus: met(auction) };
      return { ...room, auction: merged(auction, { ...ended, bidLogHead, ...(revealed || {}) }) };
    }
    case "cancellation": {
      const state = AuctionState.CANCELLED;
      return {
        ...room,
        auction: merged(auction, { ...OVER, state, outcome: AuctionOutcome.CANCELLED }),
        cancellationReason: change.value.reason,
      };
    }
    default:
      // A change that this page does not know yet still has its place in the sequence.
      return room;
  }
}

/** What no auction has any more that is over. */
const OVER = { buyNowOffered: false };

function stillOffered({ terms, buyNowOffered }: Auction, bid: Bid): boolean {
  const buyNowMinor = terms?.buyNow?.price?.amountMinor ?? 0n;
  return buyNowOffered && (bid.price?.amountMinor ?? 0n) < buyNowMinor;
}

function met({ reserveStatus }: Auction): ReserveStatus {
  return reserveStatus === ReserveStatus.NOT_MET ? ReserveStatus.MET : reserveStatus;
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

/** Says whether somebody has got it, as the highest bidder or by buying it at once. */
export function isSold({ outcome }: Auction): boolean {
  return outcome === AuctionOutcome.SOLD || outcome === AuctionOutcome.BOUGHT_NOW;
}
