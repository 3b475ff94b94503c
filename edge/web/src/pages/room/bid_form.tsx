import { create } from "@bufbuild/protobuf";
import { type Auction, AuctionFormat } from "@contracts/blytz/auction/v1/auction_pb";
import { MoneySchema } from "@contracts/blytz/common/v1/money_pb";
import { type FormEvent, useId, useState } from "react";
import type { RoomState } from "../../api/fold";
import { Button } from "../../components/button";
import { Chips } from "../../components/chips";
import { isSealed, wordsOf } from "../../format/auction_format";
import {
  amountForInput,
  formatMinor,
  formatMoney,
  formatRound,
  parseAmount,
  roundAmountsAbove,
} from "../../format/money";
import styles from "./bid_form.module.css";
import { BidResult } from "./bid_result";
import { BuyNowOffer } from "./buy_now";
import { LargeBidQuestion } from "./large_bid_question";
import type { Standing } from "./standing";
import type { Bidding } from "./use_bid";

/** The form for a maximum bid: empty, it bids the least that the server would accept. */
export function BidForm({
  room,
  standing,
  bidding,
}: {
  room: RoomState;
  standing: Standing | null;
  bidding: Bidding;
}) {
  const { place, accepted, question } = bidding;
  const [text, setText] = useState("");
  const inputId = useId();
  const { minimumNextBid } = room.auction;
  if (!minimumNextBid) return null;
  const { currencyCode, amountMinor: minimumMinor } = minimumNextBid;
  const sealed = isSealed(room.auction);
  // Who leads, or has a sealed bid in, can only raise their own maximum.
  const raises = sealed ? standing !== null : standing?.leading === true;
  const typedMinor = text ? parseAmount(text, currencyCode) : null;
  // There is no smallest raise to offer, and a sealed bid is for the bidder to think about.
  const chosenMinor = text ? typedMinor : raises || sealed ? null : minimumMinor;
  const quickAboveMinor = raises ? (standing?.maximum?.amountMinor ?? minimumMinor) : minimumMinor;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (chosenMinor === null) return;
    const placed = await place.run(create(MoneySchema, { currencyCode, amountMinor: chosenMinor }));
    if (placed) setText("");
  };
  if (question) {
    const factor = room.auction.terms?.confirmAboveFactor ?? 0;
    return <LargeBidQuestion question={question} bidding={bidding} factor={factor} />;
  }
  return (
    <div className={styles.panel}>
      <StandingLine standing={standing} />
      <BidResult
        room={room}
        failure={place.failure}
        accepted={accepted}
        leading={standing?.leading === true}
        onFunded={place.reset}
      />
      <form className={styles.form} onSubmit={submit} aria-label="Place a bid">
        <Chips
          label="Choose a maximum"
          chips={roundAmountsAbove(quickAboveMinor, currencyCode).map((minor) => ({
            text: `Max ${formatRound(minor, currencyCode)}`,
            picked: minor === typedMinor,
            onPick: () => setText(amountForInput(minor, currencyCode)),
          }))}
        />
        <div className={styles.row}>
          <label className="visually-hidden" htmlFor={inputId}>
            Your maximum in {currencyCode}
          </label>
          <input
            id={inputId}
            className={styles.input}
            inputMode="decimal"
            autoComplete="off"
            placeholder="Max"
            value={text}
            onChange={(event) => setText(event.target.value)}
            aria-invalid={Boolean(text) && typedMinor === null}
          />
          <Button
            type="submit"
            kind="volt"
            className={styles.button ?? ""}
            busy={place.busy}
            disabled={chosenMinor === null}
          >
            {buttonText({ chosenMinor, currencyCode, raises, sealed, typed: text !== "" })}
          </Button>
        </div>
        <p className={styles.note}>
          {sealed ? (
            <>
              Sealed: nobody sees amounts until the end. From{" "}
              <strong>{formatMoney(minimumNextBid)}</strong>.
            </>
          ) : (
            <>
              Next bid <strong>{formatMoney(minimumNextBid)}</strong> or more. Nobody sees your
              maximum. {hintOf(room.auction)}
            </>
          )}
        </p>
      </form>
      <BuyNowOffer auction={room.auction} buy={bidding.buy} />
    </div>
  );
}

function buttonText({
  chosenMinor,
  currencyCode,
  raises,
  sealed,
  typed,
}: {
  chosenMinor: bigint | null;
  currencyCode: string;
  raises: boolean;
  sealed: boolean;
  typed: boolean;
}): string {
  if (chosenMinor === null) return raises ? "Raise max" : "Bid";
  const amount = formatMinor(chosenMinor, currencyCode);
  if (raises) return `Raise to ${amount}`;
  if (sealed) return `Bid ${amount}, sealed`;
  return typed ? `Bid up to ${amount}` : `Bid ${amount}`;
}

function hintOf({ terms }: Auction): string {
  return terms?.format === AuctionFormat.SUDDEN_DEATH ? wordsOf(terms.format).hint : "";
}

function StandingLine({ standing }: { standing: Standing | null }) {
  return (
    <div role="status" className={styles.standing} data-leading={standing?.leading !== false}>
      {standing ? (
        <>
          <strong>{standingWords(standing)}</strong>
          <span>
            as {standing.alias}, your maximum {formatMoney(standing.maximum)}
          </span>
        </>
      ) : null}
    </div>
  );
}

function standingWords({ leading }: Standing): string {
  if (leading === null) return "Your bid is in";
  return leading ? "You lead" : "You are outbid";
}
