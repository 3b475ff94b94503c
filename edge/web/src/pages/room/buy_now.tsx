import { type Auction, BuyNowAvailability } from "@contracts/blytz/auction/v1/auction_pb";
import type { Money } from "@contracts/blytz/common/v1/money_pb";
import { useState } from "react";
import { sentenceFor } from "../../api/sentences";
import type { Command } from "../../api/use_command";
import { Button } from "../../components/button";
import { Notice } from "../../components/notice";
import { formatMoney } from "../../format/money";
import styles from "./buy_now.module.css";

/** Offers to end the auction at once, at its price; nothing is bought without a second yes. */
export function BuyNowOffer({ auction, buy }: { auction: Auction; buy: Command<Money> }) {
  const [asked, setAsked] = useState(false);
  const buyNow = auction.terms?.buyNow;
  const price = buyNow?.price;
  if (!auction.buyNowOffered || !price) return null;
  const untilReached = buyNow.availability === BuyNowAvailability.UNTIL_REACHED;
  return (
    <div className={styles.offer}>
      {buy.failure ? (
        <Notice kind="bad">
          {buy.failure.outcomeUnknown
            ? "We could not confirm the purchase. Send it again: it cannot count twice."
            : sentenceFor(buy.failure, price.currencyCode)}
        </Notice>
      ) : null}
      {asked ? (
        <>
          <p className={styles.asked}>
            Buy it for <strong>{formatMoney(price)}</strong> and end the auction?
          </p>
          <div className={styles.answers}>
            <Button kind="volt" busy={buy.busy} onClick={() => void buy.run(price)}>
              Yes, buy it
            </Button>
            <Button kind="quiet" disabled={buy.busy} onClick={() => setAsked(false)}>
              Not yet
            </Button>
          </div>
        </>
      ) : (
        <>
          <Button kind="quiet" wide onClick={() => setAsked(true)}>
            Buy now for {formatMoney(price)}
          </Button>
          <p className={styles.note}>
            {untilReached
              ? "Offered until bidding has reached it."
              : "Offered to the end; a maximum that reaches it buys too."}
          </p>
        </>
      )}
    </div>
  );
}
