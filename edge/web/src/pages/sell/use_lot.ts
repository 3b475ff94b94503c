import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { AuctionFormat, FundingPolicy } from "@contracts/blytz/auction/v1/auction_pb";
import { useRef } from "react";
import { failureOf } from "../../api/failure";
import { useApi } from "../../api/hooks";
import { newRequestId } from "../../api/request_id";
import { type Command, useCommand } from "../../api/use_command";
import { navigate } from "../../router";
import type { DurationSeconds, SoftCloseSeconds } from "./choices";

/** What a seller has said about a lot. */
export interface LotDraft {
  title: string;
  description: string;
  imageUrl: string;
  currencyCode: string;
  openingMinor: bigint;
  reserveMinor: bigint | null;
  durationSeconds: DurationSeconds;
  softCloseSeconds: SoftCloseSeconds;
  funding: "wallet" | "open";
  /** When it starts, in the server's milliseconds; null means at once. */
  startsAtMs: number | null;
}

/** Creates an auction, starts or announces it, and enters its room. */
export function useLot(): Command<LotDraft> {
  const { auctions, clock } = useApi();
  const open = useRef<{ body: string; requestId: string } | null>(null);
  return useCommand(async (lot: LotDraft) => {
    const body = JSON.stringify(lot, (_key, value) =>
      typeof value === "bigint" ? `${value}` : value,
    );
    // The same lot sent again after a lost answer is the same auction.
    if (open.current?.body !== body) open.current = { body, requestId: newRequestId() };
    const auctionId = await create(open.current.requestId, lot);
    const startsAtMs = lot.startsAtMs ?? clock.now();
    const endsAt = timestampFromMs(startsAtMs + Number(lot.durationSeconds) * 1000);
    try {
      if (lot.startsAtMs === null) await auctions.startAuction({ auctionId, endsAt });
      else {
        const startsAt = timestampFromMs(lot.startsAtMs);
        await auctions.scheduleAuction({ auctionId, startsAt, endsAt });
      }
    } catch (error) {
      // The draft exists; its room is where its seller starts it.
      if (!failureOf(error).outcomeUnknown) throw error;
    }
    open.current = null;
    navigate(`/auctions/${auctionId}`);
  });

  async function create(requestId: string, lot: LotDraft): Promise<string> {
    const money = (amountMinor: bigint) => ({ currencyCode: lot.currencyCode, amountMinor });
    const span = durationFromMs(Number(lot.softCloseSeconds) * 1000);
    const { auction } = await auctions.createAuction({
      requestId,
      title: lot.title,
      description: lot.description,
      imageUrl: lot.imageUrl,
      terms: {
        format: AuctionFormat.ENGLISH,
        openingPrice: money(lot.openingMinor),
        fundingPolicy: lot.funding === "open" ? FundingPolicy.OPEN : FundingPolicy.WALLET_HOLD,
        ...(lot.softCloseSeconds === "0"
          ? {}
          : { softClose: { extendWithin: span, extendBy: span, extensionsMax: 1000 } }),
      },
      ...(lot.reserveMinor === null ? {} : { reservePrice: money(lot.reserveMinor) }),
    });
    return auction?.auctionId ?? "";
  }
}
