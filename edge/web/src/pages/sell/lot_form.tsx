import { type FormEvent, useState } from "react";
import { Button } from "../../components/button";
import { Cover } from "../../components/cover";
import { Choice, Field, TextField } from "../../components/field";
import { Panel } from "../../components/panel";
import { parseAmount } from "../../format/money";
import { FormProblem } from "../account/entrance";
import { DEFAULT_CURRENCY_CODE } from "../wallet/payment_methods";
import { DURATIONS, type DurationSeconds, SOFT_CLOSES, type SoftCloseSeconds } from "./choices";
import styles from "./sell.module.css";
import { useLot } from "./use_lot";

const FUNDINGS = [
  ["wallet", "Only funded bids: the leader's maximum is held"],
  ["open", "Any bid: the winner pays afterwards"],
] as const;

/** The form for a new lot. */
export function LotForm() {
  const lot = useLot();
  const [title, setTitle] = useState("");
  const [description, setDescription] = useState("");
  const [imageUrl, setImageUrl] = useState("");
  const [opening, setOpening] = useState("");
  const [reserve, setReserve] = useState("");
  const [startsAt, setStartsAt] = useState("");
  const [durationSeconds, setDuration] = useState<DurationSeconds>("300");
  const [softCloseSeconds, setSoftClose] = useState<SoftCloseSeconds>("30");
  const [funding, setFunding] = useState<"wallet" | "open">("wallet");
  const fields = lot.failure?.fields ?? {};
  const openingMinor = parseAmount(opening, DEFAULT_CURRENCY_CODE);
  const reserveMinor = reserve ? parseAmount(reserve, DEFAULT_CURRENCY_CODE) : null;
  const amountProblem = (text: string, minor: bigint | null) =>
    text && minor === null ? "Enter an amount, for example 25." : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (openingMinor === null || (reserve && reserveMinor === null)) return;
    void lot.run({
      title,
      description,
      imageUrl,
      currencyCode: DEFAULT_CURRENCY_CODE,
      openingMinor,
      reserveMinor,
      durationSeconds,
      softCloseSeconds,
      funding,
      startsAtMs: startsAt ? new Date(startsAt).getTime() : null,
    });
  };
  return (
    <Panel>
      <form className={styles.form} onSubmit={submit}>
        <div className={styles.preview} aria-hidden="true">
          <Cover title={title || "Your lot"} imageUrl={imageUrl} />
          <span>{title || "Your lot"}</span>
        </div>
        <Field
          label="Title"
          required
          maxLength={120}
          placeholder="Cartier Tank, 1990s"
          value={title}
          onChange={(event) => setTitle(event.target.value)}
          problem={fields.title}
        />
        <TextField
          label="Description"
          maxLength={4000}
          value={description}
          onChange={setDescription}
          problem={fields.description}
        />
        <Field
          label="Picture address"
          hint="https, or empty: then we draw a cover from the title."
          inputMode="url"
          placeholder="https://"
          value={imageUrl}
          onChange={(event) => setImageUrl(event.target.value)}
          problem={fields.image_url}
        />
        <div className={styles.pair}>
          <Field
            label="Opening price"
            required
            inputMode="decimal"
            autoComplete="off"
            prefix={DEFAULT_CURRENCY_CODE}
            value={opening}
            onChange={(event) => setOpening(event.target.value)}
            problem={amountProblem(opening, openingMinor) ?? fields["terms.opening_price"]}
          />
          <Field
            label="Hidden reserve"
            hint="Optional. Below it nothing is sold."
            inputMode="decimal"
            autoComplete="off"
            prefix={DEFAULT_CURRENCY_CODE}
            value={reserve}
            onChange={(event) => setReserve(event.target.value)}
            problem={amountProblem(reserve, reserveMinor) ?? fields.reserve_price}
          />
        </div>
        <div className={styles.pair}>
          <Choice
            label="Runs for"
            value={durationSeconds}
            options={DURATIONS}
            onChange={setDuration}
          />
          <Field
            label="Starts"
            hint="Empty: right now."
            type="datetime-local"
            value={startsAt}
            onChange={(event) => setStartsAt(event.target.value)}
            problem={fields.starts_at}
          />
        </div>
        <Choice
          label="A late bid"
          value={softCloseSeconds}
          options={SOFT_CLOSES}
          onChange={setSoftClose}
        />
        <Choice label="Who may bid" value={funding} options={FUNDINGS} onChange={setFunding} />
        <FormProblem failure={lot.failure} />
        <Button type="submit" wide busy={lot.busy} disabled={openingMinor === null || !title}>
          {startsAt ? "Announce auction" : "Start auction"}
        </Button>
      </form>
    </Panel>
  );
}
