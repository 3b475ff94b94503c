import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type FormEvent, useRef, useState } from "react";
import { useApi } from "../../api/hooks";
import { newRequestId } from "../../api/request_id";
import { useCommand } from "../../api/use_command";
import { Button } from "../../components/button";
import { Field, TextField } from "../../components/field";
import { Panel } from "../../components/panel";
import { navigate } from "../../router";
import { FormProblem } from "../account/entrance";
import { amountOf, money } from "../sell/lot_fields";
import { DEFAULT_CURRENCY_CODE } from "../wallet/payment_methods";
import styles from "./shows.module.css";
import { useShowsClient } from "./use_shows_client";

/** A show that is to begin now begins so much later, in milliseconds, to be announced first. */
const SOON_MS = 60_000;

/** The form for a new show; its page is where lots are added. */
export function PlanForm() {
  const { clock } = useApi();
  const shows = useShowsClient();
  const [title, setTitle] = useState("");
  const [description, setDescription] = useState("");
  const [startsAt, setStartsAt] = useState("");
  const [limit, setLimit] = useState("");
  const limitMinor = amountOf(limit);
  const key = useRef({ body: "", requestId: "" });
  const plan = useCommand(async () => {
    const body = JSON.stringify([title, description, startsAt, limit]);
    if (key.current.body !== body) key.current = { body, requestId: newRequestId() };
    const startsAtMs = startsAt ? new Date(startsAt).getTime() : clock.now() + SOON_MS;
    const { show } = await shows.createShow({
      requestId: key.current.requestId,
      title,
      description,
      startsAt: timestampFromMs(startsAtMs),
      ...(limitMinor && { bidderLimit: money(limitMinor) }),
    });
    if (show) navigate(`/shows/${show.showId}`);
  });
  const fields = plan.failure?.fields ?? {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (limitMinor !== null) void plan.run(undefined);
  };
  return (
    <Panel>
      <form className={styles.form} onSubmit={submit}>
        <Field
          label="Title"
          required
          maxLength={120}
          placeholder="Sunday watches"
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
          label="Starts"
          hint="Empty: in a minute. You start it yourself in any case."
          type="datetime-local"
          value={startsAt}
          onChange={(event) => setStartsAt(event.target.value)}
          problem={fields.starts_at}
        />
        <Field
          label="Limit for each bidder"
          hint="Optional. The most that one person may commit in this show."
          inputMode="decimal"
          autoComplete="off"
          prefix={DEFAULT_CURRENCY_CODE}
          value={limit}
          onChange={(event) => setLimit(event.target.value)}
          problem={limitMinor === null ? "Enter an amount, for example 500." : undefined}
        />
        <FormProblem failure={plan.failure} />
        <Button type="submit" wide busy={plan.busy} disabled={!title || limitMinor === null}>
          Announce the show
        </Button>
      </form>
    </Panel>
  );
}
