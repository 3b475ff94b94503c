import { useEffect, useRef } from "react";
import { sentenceFor } from "../../api/sentences";
import { Button } from "../../components/button";
import { Notice } from "../../components/notice";
import { formatMinor, formatMoney } from "../../format/money";
import styles from "./bid_form.module.css";
import type { Bidding, Question } from "./use_bid";

/** Asks whether a bid far above the price is meant; the bid goes out again when it is. */
export function LargeBidQuestion({
  question,
  bidding,
  factor,
}: {
  question: Question;
  bidding: Bidding;
  /** So many times the price is where the seller wants people to be asked. */
  factor: number;
}) {
  const { place, confirm } = bidding;
  const { maximum, priceMinor } = question;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className={styles.large} aria-label="Confirm your bid">
      <h2 ref={heading} tabIndex={-1} className={styles.asked}>
        That is more than {factor} times the price of{" "}
        {formatMinor(priceMinor, maximum.currencyCode)}. Bid {formatMoney(maximum)}?
      </h2>
      {place.failure ? (
        <Notice kind="bad">
          {place.failure.outcomeUnknown
            ? "We could not confirm your bid. Send it again: it cannot count twice."
            : sentenceFor(place.failure, maximum.currencyCode)}
        </Notice>
      ) : null}
      <div className={styles.answers}>
        <Button kind="volt" busy={place.busy} onClick={() => void confirm()}>
          Yes, bid {formatMoney(maximum)}
        </Button>
        <Button kind="quiet" disabled={place.busy} onClick={place.reset}>
          No, change it
        </Button>
      </div>
    </section>
  );
}
