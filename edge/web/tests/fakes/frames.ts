import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Auction,
  AuctionSchema,
  AuctionState,
  type Bid,
  BidSchema,
} from "@contracts/blytz/auction/v1/auction_pb";
import { type Money, MoneySchema } from "@contracts/blytz/common/v1/money_pb";
import {
  type AuctionSnapshotSchema,
  type AuctionUpdateSchema,
  type WatchAuctionResponse,
  WatchAuctionResponseSchema,
} from "@contracts/blytz/realtime/v1/realtime_service_pb";

export const AUCTION_ID = "01930000-0000-7000-8000-000000000001";
export const START_MS = Date.UTC(2026, 10, 22, 20, 0, 0);

export function usd(amountMinor: number): Money {
  return create(MoneySchema, { currencyCode: "USD", amountMinor: BigInt(amountMinor) });
}

/** A live auction as a snapshot at the given sequence has it. */
export function auctionAt(
  sequence: number,
  fields: Omit<Partial<Auction>, "$typeName" | "$unknown"> = {},
): Auction {
  return create(AuctionSchema, {
    auctionId: AUCTION_ID,
    title: "Cartier Tank",
    state: AuctionState.LIVE,
    price: usd(1000),
    minimumNextBid: usd(1050),
    terms: { openingPrice: usd(1000) },
    startsAt: timestampFromMs(START_MS),
    endsAt: timestampFromMs(START_MS + 60_000),
    position: { epoch: 1, sequence: BigInt(sequence) },
    ...fields,
  });
}

/** An accepted bid with its place in the sequence. */
export function bidAt(sequence: number, priceMinor: number, alias = "Amber Heron 27"): Bid {
  return create(BidSchema, {
    bidId: `01930000-0000-7000-8000-${sequence.toString().padStart(12, "0")}`,
    auctionId: AUCTION_ID,
    sequence: BigInt(sequence),
    bidderAlias: alias,
    leaderAlias: alias,
    price: usd(priceMinor),
    placedAt: timestampFromMs(START_MS + sequence * 1000),
  });
}

/** An update that records a bid. */
export function bidUpdate(sequence: number, priceMinor: number, alias?: string) {
  return {
    sequence: BigInt(sequence),
    occurredAt: timestampFromMs(START_MS + sequence * 1000),
    change: {
      case: "bid" as const,
      value: {
        bid: bidAt(sequence, priceMinor, alias),
        minimumNextBid: usd(priceMinor + 50),
        bidCount: sequence,
      },
    },
  };
}

/** What a test's frame may carry. */
interface FrameFields {
  snapshot?: MessageInitShape<typeof AuctionSnapshotSchema>;
  updates?: MessageInitShape<typeof AuctionUpdateSchema>[];
  recovered?: boolean;
  reconnect?: boolean;
}

/** A frame at a position, with what else it carries. */
export function frameAt(sequence: number, fields: FrameFields = {}): WatchAuctionResponse {
  return create(WatchAuctionResponseSchema, {
    position: { epoch: 1, sequence: BigInt(sequence) },
    serverTime: timestampFromMs(START_MS),
    ...fields,
  });
}

/** A frame that carries a snapshot. */
export function snapshotAt(sequence: number, bids: Bid[] = []): WatchAuctionResponse {
  return frameAt(sequence, { snapshot: { auction: auctionAt(sequence), recentBids: bids } });
}
