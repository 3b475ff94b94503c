import type { Money } from "@contracts/blytz/common/v1/money_pb";
import { useRef, useState } from "react";
import { failureOf } from "../../api/failure";
import { useApi } from "../../api/hooks";
import { newRequestId } from "../../api/request_id";
import { type Command, useCommand } from "../../api/use_command";
import { useRefreshWallet } from "../../api/use_wallet";
import type { AcceptedBid } from "./standing";

/** The command to bid, and the last bid that was accepted. */
export interface Bidding {
  readonly place: Command<Money>;
  readonly accepted: AcceptedBid | null;
}

/**
 * Places maximum bids. Nothing counts before the server has said so; when its answer is lost, the
 * same amount is sent as the same command, so that it cannot count twice.
 */
export function useBid(auctionId: string): Bidding {
  const { auctions } = useApi();
  const refreshWallet = useRefreshWallet();
  const [accepted, setAccepted] = useState<AcceptedBid | null>(null);
  const open = useRef<{ amountMinor: bigint; requestId: string } | null>(null);
  const place = useCommand(async (maximum: Money) => {
    if (open.current?.amountMinor !== maximum.amountMinor) {
      open.current = { amountMinor: maximum.amountMinor, requestId: newRequestId() };
    }
    try {
      const { requestId } = open.current;
      const response = await auctions.placeBid({ requestId, auctionId, maximum });
      open.current = null;
      setAccepted({ maximum, response });
      void refreshWallet();
    } catch (error) {
      if (!failureOf(error).outcomeUnknown) open.current = null;
      throw error;
    }
  });
  return { place, accepted };
}
