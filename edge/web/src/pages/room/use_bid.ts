import { create } from "@bufbuild/protobuf";
import { PlaceBidResponseSchema } from "@contracts/blytz/auction/v1/auction_service_pb";
import type { Money } from "@contracts/blytz/common/v1/money_pb";
import { useRef, useState } from "react";
import { failureOf } from "../../api/failure";
import { useApi } from "../../api/hooks";
import { newRequestId } from "../../api/request_id";
import { type Command, useCommand } from "../../api/use_command";
import { useRefreshWallet } from "../../api/use_wallet";
import type { AcceptedBid } from "./standing";

/** A bid so large that the server asks whether it is meant. */
export interface Question {
  readonly maximum: Money;
  /** The price that the maximum was compared with. */
  readonly priceMinor: bigint;
  readonly confirmationToken: string;
}

/** The commands to bid and to buy, and the last bid that was accepted. */
export interface Bidding {
  readonly place: Command<Money>;
  readonly buy: Command<Money>;
  readonly accepted: AcceptedBid | null;
  /** What the server has asked back; null if it has asked nothing. */
  readonly question: Question | null;
  /** Answers the question with yes: the same bid goes out again, confirmed. */
  readonly confirm: () => Promise<boolean>;
  /** Forgets the last bid, because it was taken back. */
  readonly forgetAccepted: () => void;
}

/**
 * Places maximum bids and purchases. Nothing counts before the server has said so; when its answer
 * is lost, the same amount is sent as the same command, so that it cannot count twice.
 */
export function useBid(auctionId: string): Bidding {
  const { auctions } = useApi();
  const refreshWallet = useRefreshWallet();
  const [accepted, setAccepted] = useState<AcceptedBid | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const once = useRequestIds();

  const bid = useCommand(async ({ maximum, token }: { maximum: Money; token: string }) => {
    try {
      const response = await once(`bid ${maximum.amountMinor} ${token}`, (requestId) =>
        auctions.placeBid({ requestId, auctionId, maximum, confirmationToken: token }),
      );
      setQuestion(null);
      setAccepted({ maximum, response });
      void refreshWallet();
    } catch (error) {
      const { reason, metadata, outcomeUnknown } = failureOf(error);
      // A confirmed bid whose answer was lost is confirmed once more, as the same command.
      if (!outcomeUnknown) setQuestion(null);
      if (reason !== "CONFIRM_LARGE_BID" || !metadata.confirmation_token) throw error;
      setQuestion({
        maximum,
        priceMinor: BigInt(metadata.price_minor ?? "0"),
        confirmationToken: metadata.confirmation_token,
      });
    }
  });
  const buy = useCommand(async (price: Money) => {
    const purchase = await once(`buy ${price.amountMinor}`, (requestId) =>
      auctions.buyNow({ requestId, auctionId, price }),
    );
    const { bid: record, position } = purchase;
    const response = create(PlaceBidResponseSchema, {
      leading: true,
      won: true,
      ...(record && { bid: record }),
      ...(position && { position }),
      ...(purchase.price && { price: purchase.price }),
    });
    setAccepted({ maximum: price, response });
    void refreshWallet();
  });
  return {
    place: { ...bid, run: (maximum) => bid.run({ maximum, token: "" }), reset: forget },
    buy,
    accepted,
    question,
    forgetAccepted: () => setAccepted(null),
    confirm: async () => {
      if (!question) return false;
      return await bid.run({ maximum: question.maximum, token: question.confirmationToken });
    },
  };

  function forget() {
    setQuestion(null);
    bid.reset();
  }
}

/** Gives each command its key, and the same one again while the outcome of the last is unknown. */
function useRequestIds() {
  const open = useRef<{ what: string; requestId: string } | null>(null);
  return async <R>(what: string, send: (requestId: string) => Promise<R>): Promise<R> => {
    if (open.current?.what !== what) open.current = { what, requestId: newRequestId() };
    try {
      const answer = await send(open.current.requestId);
      open.current = null;
      return answer;
    } catch (error) {
      if (!failureOf(error).outcomeUnknown) open.current = null;
      throw error;
    }
  };
}
