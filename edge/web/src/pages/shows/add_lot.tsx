import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Show } from "@contracts/blytz/auction/v1/show_pb";
import { type FormEvent, useState } from "react";
import { useCommand } from "../../api/use_command";
import { Button } from "../../components/button";
import { Choice } from "../../components/field";
import { FormProblem } from "../account/entrance";
import { LOT_DURATIONS } from "../sell/choices";
import { EMPTY_LOT, type LotFields, money, termsOf } from "../sell/lot_fields";
import { LotInputs, PriceInputs, RuleInputs } from "../sell/lot_inputs";
import { useRequestIdFor } from "../sell/use_lot";
import styles from "./run_panel.module.css";
import { useShowsClient } from "./use_shows_client";

/** A lot of a show is quick unless its seller says otherwise. */
const EMPTY: LotFields = { ...EMPTY_LOT, format: "live", softCloseSeconds: "10" };

/** The form that puts a new lot at the end of a show's line. */
export function AddLot({ show, onAdded }: { show: Show; onAdded: () => Promise<void> }) {
  const shows = useShowsClient();
  const [lot, setLot] = useState(EMPTY);
  const requestIdFor = useRequestIdFor();
  const change = (fields: Partial<LotFields>) => setLot({ ...lot, ...fields });
  const add = useCommand(async () => {
    const rules = termsOf(lot);
    if (!rules) return;
    const { title, description, imageUrl } = lot;
    const lotDuration = durationFromMs(Number(lot.lotSeconds) * 1000);
    const value = {
      title,
      description,
      imageUrl,
      terms: { ...rules.terms, lotDuration },
      ...(rules.reserveMinor && { reservePrice: money(rules.reserveMinor) }),
    };
    await shows.addLot({
      requestId: requestIdFor(lot),
      showId: show.showId,
      lot: { case: "newLot", value },
    });
    // The rules stay: the next lot of an evening is often sold the same way.
    setLot({ ...lot, title: "", description: "", imageUrl: "", opening: "", reserve: "" });
    await onAdded();
  });
  const complete = lot.title !== "" && termsOf(lot) !== null;
  const inputs = { lot, change, failure: add.failure };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (complete) void add.run(undefined);
  };
  return (
    <details className={styles.add}>
      <summary>Add a lot</summary>
      <form className={styles.form} onSubmit={submit}>
        <LotInputs {...inputs} />
        <PriceInputs {...inputs} />
        <Choice
          label="Stays open for"
          value={lot.lotSeconds}
          options={LOT_DURATIONS}
          onChange={(lotSeconds) => change({ lotSeconds })}
        />
        <RuleInputs {...inputs} />
        <FormProblem failure={add.failure} />
        <Button type="submit" wide busy={add.busy} disabled={!complete}>
          Add to the show
        </Button>
      </form>
    </details>
  );
}
