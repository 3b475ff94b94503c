import type { Bid } from "@contracts/blytz/auction/v1/auction_pb";
import { RetractionReason } from "@contracts/blytz/auction/v1/auction_service_pb";
import { useState } from "react";
import { isOver, milliseconds, type RoomState } from "../../api/fold";
import { useApi, useServerTime } from "../../api/hooks";
import { newRequestId } from "../../api/request_id";
import { sentenceFor } from "../../api/sentences";
import { useCommand } from "../../api/use_command";
import { useRefreshWallet } from "../../api/use_wallet";
import { Button } from "../../components/button";
import { Choice } from "../../components/field";
import { Notice } from "../../components/notice";
import { formatAgo } from "../../format/time";
import styles from "./own_bids.module.css";

const REASONS = [
  ["typing", "I typed the wrong amount"],
  ["described", "The description has changed since"],
] as const;
type ReasonText = (typeof REASONS)[number][0];
const WIRE: Record<ReasonText, RetractionReason> = {
  typing: RetractionReason.TYPING_ERROR,
  described: RetractionReason.DESCRIPTION_CHANGED,
};

/** A person's own bids in an auction: a receipt for each, and the way to take one back. */
export function OwnBids({
  room,
  alias,
  onTakenBack,
}: {
  room: RoomState;
  alias: string;
  onTakenBack: () => void;
}) {
  const own = room.bids.filter((bid) => bid.bidderAlias === alias);
  if (own.length === 0) return null;
  return (
    <details className={styles.own}>
      <summary>Your bids ({own.length})</summary>
      <ul>
        {own.map((bid) => (
          <OwnBid key={bid.bidId} bid={bid} over={isOver(room.auction)} onTakenBack={onTakenBack} />
        ))}
      </ul>
    </details>
  );
}

function OwnBid({ bid, over, onTakenBack }: { bid: Bid; over: boolean; onTakenBack: () => void }) {
  const { auctions } = useApi();
  const now = useServerTime(1000);
  const [asked, setAsked] = useState(false);
  const { auctionId, bidId } = bid;
  const receipt = useCommand(async () => {
    const answer = await auctions.getBidReceipt({ auctionId, bidId });
    save(`blytz-receipt-${bidId}.jws`, answer.receipt);
  });
  return (
    <li className={styles.bid}>
      <div className={styles.row}>
        <span>
          {formatAgo(now - milliseconds(bid.placedAt))}
          {bid.retracted ? ", taken back" : ""}
        </span>
        <Button kind="quiet" busy={receipt.busy} onClick={() => receipt.run(undefined)}>
          Receipt
        </Button>
        {bid.retracted || over || asked ? null : (
          <Button kind="quiet" onClick={() => setAsked(true)}>
            Take back
          </Button>
        )}
      </div>
      {receipt.failure ? <Notice kind="bad">{sentenceFor(receipt.failure)}</Notice> : null}
      {asked && !bid.retracted && !over ? (
        <TakeBack bid={bid} onDone={onTakenBack} onKeep={() => setAsked(false)} />
      ) : null}
    </li>
  );
}

function TakeBack({ bid, onDone, onKeep }: { bid: Bid; onDone: () => void; onKeep: () => void }) {
  const { auctions } = useApi();
  const refreshWallet = useRefreshWallet();
  const [reason, setReason] = useState<ReasonText>("typing");
  const [requestId] = useState(newRequestId);
  const command = useCommand(async () => {
    const { auctionId, bidId } = bid;
    await auctions.retractBid({ requestId, auctionId, bidId, reason: WIRE[reason] });
    void refreshWallet();
    onDone();
  });
  return (
    <div className={styles.asked}>
      <Choice label="Why" value={reason} options={REASONS} onChange={setReason} />
      <p className={styles.rule}>
        With 12 hours or more to go all your bids here go; later only the latest, within an hour.
      </p>
      {command.failure ? <Notice kind="bad">{sentenceFor(command.failure)}</Notice> : null}
      <div className={styles.row}>
        <Button kind="danger" busy={command.busy} onClick={() => command.run(undefined)}>
          Take it back
        </Button>
        <Button kind="quiet" disabled={command.busy} onClick={onKeep}>
          Keep it
        </Button>
      </div>
    </div>
  );
}

/** Saves a text as a file of the person's. */
function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/jose" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
