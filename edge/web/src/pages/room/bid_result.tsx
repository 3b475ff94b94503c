import type { Failure } from "../../api/failure";
import type { RoomState } from "../../api/fold";
import { sentenceFor } from "../../api/sentences";
import { Notice } from "../../components/notice";
import { isSealed } from "../../format/auction_format";
import { formatMoney } from "../../format/money";
import { DepositForm } from "../wallet/deposit_form";
import styles from "./bid_result.module.css";
import type { AcceptedBid } from "./standing";

const DEPOSIT_LEAST_MINOR = 100n;

/** What became of the last bid; where money was missing, the way to add it. */
export function BidResult({
  room,
  failure,
  accepted,
  leading,
  onFunded,
}: {
  room: RoomState;
  failure: Failure | null;
  accepted: AcceptedBid | null;
  /** Whether the person leads now, as far as the server has said. */
  leading: boolean;
  onFunded: () => void;
}) {
  const currencyCode = room.auction.price?.currencyCode ?? "USD";
  if (failure?.reason === "INSUFFICIENT_FUNDS") {
    const shortfallMinor = BigInt(failure.metadata.shortfall_minor ?? "0");
    const suggestedMinor =
      shortfallMinor > DEPOSIT_LEAST_MINOR ? shortfallMinor : DEPOSIT_LEAST_MINOR;
    return (
      <div className={styles.shortfall}>
        <Notice kind="warn">{sentenceFor(failure, currencyCode)} Add it and bid again.</Notice>
        <div className={styles.deposit}>
          <DepositForm
            brief
            currencyCode={currencyCode}
            suggestedMinor={suggestedMinor}
            onDone={onFunded}
          />
        </div>
      </div>
    );
  }
  if (failure) {
    const sentence = failure.outcomeUnknown
      ? "We could not confirm your bid. Send it again: it cannot count twice."
      : sentenceFor(failure, currencyCode);
    return <Notice kind="bad">{sentence}</Notice>;
  }
  if (!accepted) return null;
  const { response, maximum } = accepted;
  // Told until something newer is known; the standing tells the rest.
  const laterEvents = room.position.sequence - (response.position?.sequence ?? 0n);
  if (laterEvents > 1n || (response.leading && !leading)) return null;
  if (isSealed(room.auction)) {
    return <Notice kind="good">Your bid of {formatMoney(maximum)} is in, sealed.</Notice>;
  }
  return response.leading ? (
    <Notice kind="good">
      You lead at {formatMoney(response.price)}. Up to {formatMoney(maximum)} is bid for you.
    </Notice>
  ) : (
    <Notice kind="warn">
      Outbid at once: an earlier maximum was as high. The price is now {formatMoney(response.price)}
      .
    </Notice>
  );
}
