import { create } from "@bufbuild/protobuf";
import { MoneySchema } from "@contracts/blytz/common/v1/money_pb";
import { type FormEvent, useId, useState } from "react";
import type { RoomState } from "../../api/fold";
import { Button } from "../../components/button";
import { Chips } from "../../components/chips";
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
import type { Standing } from "./standing";
import type { Bidding } from "./use_bid";

/** The form for a maximum bid: empty, it bids the least that the server would accept. */
export function BidForm({
  room,
  standing,
  bidding: { place, accepted },
}: {
  room: RoomState;
  standing: Standing | null;
  bidding: Bidding;
}) {
  const [text, setText] = useState("");
  const inputId = useId();
  const { minimumNextBid } = room.auction;
  if (!minimumNextBid) return null;
  const { currencyCode, amountMinor: minimumMinor } = minimumNextBid;
  const leading = standing?.leading ?? false;
  const typedMinor = text ? parseAmount(text, currencyCode) : null;
  // A leader's own maximum can only be raised, so there is no smallest bid to offer them.
  const chosenMinor = text ? typedMinor : leading ? null : minimumMinor;
  const quickAboveMinor =
    leading && standing?.maximum ? standing.maximum.amountMinor : minimumMinor;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (chosenMinor === null) return;
    const placed = await place.run(create(MoneySchema, { currencyCode, amountMinor: chosenMinor }));
    if (placed) setText("");
  };
  return (
    <div className={styles.panel}>
      <StandingLine standing={standing} />
      <BidResult
        room={room}
        failure={place.failure}
        accepted={accepted}
        leading={leading}
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
            {buttonText(chosenMinor, currencyCode, leading, text !== "")}
          </Button>
        </div>
        <p className={styles.note}>
          Next bid <strong>{formatMoney(minimumNextBid)}</strong> or more. Nobody sees your maximum.
        </p>
      </form>
    </div>
  );
}

function buttonText(
  chosenMinor: bigint | null,
  currencyCode: string,
  leading: boolean,
  typed: boolean,
): string {
  if (chosenMinor === null) return leading ? "Raise max" : "Bid";
  const amount = formatMinor(chosenMinor, currencyCode);
  if (leading) return `Raise to ${amount}`;
  return typed ? `Bid up to ${amount}` : `Bid ${amount}`;
}

function StandingLine({ standing }: { standing: Standing | null }) {
  return (
    <div role="status" className={styles.standing} data-leading={standing?.leading}>
      {standing ? (
        <>
          <strong>{standing.leading ? "You lead" : "You are outbid"}</strong>
          <span>
            as {standing.alias}, your maximum {formatMoney(standing.maximum)}
          </span>
        </>
      ) : null}
    </div>
  );
}
