import type { Failure } from "../../api/failure";
import { Cover } from "../../components/cover";
import { Choice, Field, TextField } from "../../components/field";
import { formatMinor } from "../../format/money";
import { formatRemaining } from "../../format/time";
import { DEFAULT_CURRENCY_CODE } from "../wallet/payment_methods";
import { CONFIRM_FACTORS, DROP_INTERVALS, FUNDINGS, SOFT_CLOSES } from "./choices";
import { FormatChoice } from "./format_choice";
import { type AmountField, amountOf, fallOf, fieldsOf, type LotFields } from "./lot_fields";
import styles from "./sell.module.css";

const BUY_NOW_LASTS = [
  ["until", "Until bidding has reached it"],
  ["whole", "To the end"],
] as const;

interface InputsOf {
  lot: LotFields;
  change: (fields: Partial<LotFields>) => void;
  failure: Failure | null;
}

/** What a lot is: its name, its words and its picture. */
export function LotInputs({ lot, change, failure }: InputsOf) {
  const problems = failure?.fields ?? {};
  return (
    <>
      <div className={styles.preview} aria-hidden="true">
        <Cover title={lot.title || "Your lot"} imageUrl={lot.imageUrl} />
        <span>{lot.title || "Your lot"}</span>
      </div>
      <Field
        label="Title"
        required
        maxLength={120}
        placeholder="Cartier Tank, 1990s"
        value={lot.title}
        onChange={(event) => change({ title: event.target.value })}
        problem={problems.title ?? problems["new_lot.title"]}
      />
      <TextField
        label="Description"
        maxLength={4000}
        value={lot.description}
        onChange={(description) => change({ description })}
        problem={problems.description}
      />
      <Field
        label="Picture address"
        hint="https, or empty: then we draw a cover from the title."
        inputMode="url"
        placeholder="https://"
        value={lot.imageUrl}
        onChange={(event) => change({ imageUrl: event.target.value })}
        problem={problems.image_url ?? problems["new_lot.image_url"]}
      />
      <FormatChoice value={lot.format} onChange={(format) => change({ format })} />
    </>
  );
}

/** The amounts that a format needs. */
export function PriceInputs({ lot, change, failure }: InputsOf) {
  const has = fieldsOf(lot.format);
  const amount = (field: AmountField) => ({
    inputMode: "decimal" as const,
    autoComplete: "off",
    prefix: DEFAULT_CURRENCY_CODE,
    value: lot[field],
    onChange: (event: { target: { value: string } }) => change({ [field]: event.target.value }),
    problem: amountOf(lot[field]) === null ? "Enter an amount, for example 25." : undefined,
  });
  const opening = amount("opening");
  const problem = opening.problem ?? failure?.fields["terms.opening_price"];
  return (
    <>
      <div className={styles.pair}>
        <Field
          {...opening}
          label={has.dutch ? "It starts at" : "Opening price"}
          required
          problem={problem}
        />
        {has.reserve ? (
          <Field
            {...amount("reserve")}
            label="Hidden reserve"
            hint="Optional. Below it nothing is sold."
          />
        ) : (
          <Field {...amount("floor")} label="Down to" hint={fallHint(lot, "floor")} />
        )}
      </div>
      {has.dutch ? (
        <div className={styles.pair}>
          <Field {...amount("drop")} label="It falls by" hint={fallHint(lot, "drop")} />
          <Choice
            label="How often"
            hint={lastsHint(lot)}
            value={lot.dropSeconds}
            options={DROP_INTERVALS}
            onChange={(dropSeconds) => change({ dropSeconds })}
          />
        </div>
      ) : null}
      {has.buyNow ? (
        <div className={styles.pair}>
          <Field {...amount("buyNow")} label="Buy now price" hint="Optional. Ends it at once." />
          {lot.buyNow ? (
            <Choice
              label="Buy now is offered"
              value={lot.buyNowLasts}
              options={BUY_NOW_LASTS}
              onChange={(buyNowLasts) => change({ buyNowLasts })}
            />
          ) : null}
        </div>
      ) : null}
    </>
  );
}

/** What late bids do, who may bid, and from when on we ask back. */
export function RuleInputs({ lot, change }: InputsOf) {
  const has = fieldsOf(lot.format);
  return (
    <>
      {has.softClose ? (
        <Choice
          label="A late bid"
          value={lot.softCloseSeconds}
          options={SOFT_CLOSES}
          onChange={(softCloseSeconds) => change({ softCloseSeconds })}
        />
      ) : null}
      <Choice
        label="Who may bid"
        value={lot.funding}
        options={FUNDINGS}
        onChange={(funding) => change({ funding })}
      />
      {has.confirm ? (
        <Choice
          label="Ask back when a bid is above"
          hint="Against slips of the finger."
          value={lot.confirmFactor}
          options={CONFIRM_FACTORS}
          onChange={(confirmFactor) => change({ confirmFactor })}
        />
      ) : null}
    </>
  );
}

function fallHint(lot: LotFields, field: "drop" | "floor"): string {
  const fall = fallOf(lot);
  if (!fall || lot[field]) return field === "drop" ? "Each time." : "It never falls below.";
  const usualMinor = field === "drop" ? fall.dropMinor : fall.floorMinor;
  return `Empty: ${formatMinor(usualMinor, DEFAULT_CURRENCY_CODE)}.`;
}

function lastsHint(lot: LotFields): string {
  const fall = fallOf(lot);
  return fall ? `The lowest price after ${formatRemaining(fall.lastsSeconds * 1000).spoken}.` : "";
}
