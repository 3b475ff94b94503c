import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { useRef } from "react";
import { failureOf } from "../../api/failure";
import { useApi } from "../../api/hooks";
import { newRequestId } from "../../api/request_id";
import { type Command, useCommand } from "../../api/use_command";
import { navigate } from "../../router";
import { type LotFields, money, termsOf } from "./lot_fields";

/** Creates an auction, starts or announces it, and enters its room. */
export function useLot(): Command<LotFields> {
  const { auctions, clock } = useApi();
  const requestIdFor = useRequestIdFor();
  return useCommand(async (lot: LotFields) => {
    const auctionId = await create(requestIdFor(lot), lot);
    const startsAtMs = lot.startsAt ? new Date(lot.startsAt).getTime() : clock.now();
    const endsAt = timestampFromMs(startsAtMs + Number(lot.durationSeconds) * 1000);
    try {
      if (lot.startsAt) {
        const startsAt = timestampFromMs(startsAtMs);
        await auctions.scheduleAuction({ auctionId, startsAt, endsAt });
      } else await auctions.startAuction({ auctionId, endsAt });
    } catch (error) {
      // The draft exists; its room is where its seller starts it.
      if (!failureOf(error).outcomeUnknown) throw error;
    }
    navigate(`/auctions/${auctionId}`);
  });

  async function create(requestId: string, lot: LotFields): Promise<string> {
    const rules = termsOf(lot);
    if (!rules) throw new Error("a lot without an opening price was sent");
    const { title, description, imageUrl } = lot;
    const { auction } = await auctions.createAuction({
      requestId,
      title,
      description,
      imageUrl,
      terms: rules.terms,
      ...(rules.reserveMinor && { reservePrice: money(rules.reserveMinor) }),
    });
    return auction?.auctionId ?? "";
  }
}

/** Returns the key of a lot's creation: the same lot sent again after a lost answer is the same. */
export function useRequestIdFor(): (lot: LotFields) => string {
  const last = useRef<{ body: string; requestId: string } | null>(null);
  return (lot) => {
    const body = JSON.stringify(lot);
    if (last.current?.body !== body) last.current = { body, requestId: newRequestId() };
    return last.current.requestId;
  };
}
