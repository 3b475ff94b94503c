import { type FormEvent, useState } from "react";
import { Button } from "../../components/button";
import { Choice, Field } from "../../components/field";
import { Panel } from "../../components/panel";
import { FormProblem } from "../account/entrance";
import { DURATIONS, LIVE_SECONDS_MAX } from "./choices";
import { EMPTY_LOT, type LotFields, termsOf } from "./lot_fields";
import { LotInputs, PriceInputs, RuleInputs } from "./lot_inputs";
import styles from "./sell.module.css";
import { useLot } from "./use_lot";

/** The form for an auction of its own. */
export function LotForm() {
  const sell = useLot();
  const [lot, setLot] = useState(EMPTY_LOT);
  const change = (fields: Partial<LotFields>) => setLot(fitted({ ...lot, ...fields }));
  const complete = lot.title !== "" && termsOf(lot) !== null;
  const inputs = { lot, change, failure: sell.failure };
  const durations =
    lot.format === "live"
      ? DURATIONS.filter(([seconds]) => Number(seconds) <= LIVE_SECONDS_MAX)
      : DURATIONS;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (complete) void sell.run(lot);
  };
  return (
    <Panel>
      <form className={styles.form} onSubmit={submit}>
        <LotInputs {...inputs} />
        <PriceInputs {...inputs} />
        <div className={styles.pair}>
          <Choice
            label="Runs for"
            value={lot.durationSeconds}
            options={durations}
            onChange={(durationSeconds) => change({ durationSeconds })}
          />
          <Field
            label="Starts"
            hint="Empty: right now."
            type="datetime-local"
            value={lot.startsAt}
            onChange={(event) => change({ startsAt: event.target.value })}
            problem={sell.failure?.fields.starts_at}
          />
        </div>
        <RuleInputs {...inputs} />
        <FormProblem failure={sell.failure} />
        <Button type="submit" wide busy={sell.busy} disabled={!complete}>
          {lot.startsAt ? "Announce auction" : "Start auction"}
        </Button>
      </form>
    </Panel>
  );
}

/** Returns the lot with a duration that its format allows. */
function fitted(lot: LotFields): LotFields {
  const tooLong = lot.format === "live" && Number(lot.durationSeconds) > LIVE_SECONDS_MAX;
  return tooLong ? { ...lot, durationSeconds: EMPTY_LOT.durationSeconds } : lot;
}
