import { DepositState } from "@contracts/blytz/payment/v1/wallet_service_pb";
import { type FormEvent, useRef, useState } from "react";
import { failureOf } from "../../api/failure";
import { useApi } from "../../api/hooks";
import { newRequestId } from "../../api/request_id";
import { sentenceFor } from "../../api/sentences";
import { useCommand } from "../../api/use_command";
import { useRefreshWallet } from "../../api/use_wallet";
import { Button } from "../../components/button";
import { Chips } from "../../components/chips";
import { Choice, Field } from "../../components/field";
import { Notice } from "../../components/notice";
import { amountForInput, formatMinor, formatRound, parseAmount } from "../../format/money";
import { DEFAULT_CURRENCY_CODE, TEST_CARDS } from "./payment_methods";
import styles from "./wallet.module.css";

const QUICK_AMOUNTS_MINOR = [5_000n, 20_000n, 100_000n];

/** Pays money into the wallet. A payment whose outcome is unknown is sent again as the same one. */
export function DepositForm({
  currencyCode = DEFAULT_CURRENCY_CODE,
  suggestedMinor,
  brief = false,
  onDone,
}: {
  currencyCode?: string;
  suggestedMinor?: bigint;
  /** Whether there is little room, and the amount is clear. */
  brief?: boolean;
  onDone?: () => void;
}) {
  const { wallet } = useApi();
  const refreshWallet = useRefreshWallet();
  const [text, setText] = useState(amountForInput(suggestedMinor ?? 20_000n, currencyCode));
  const [card, setCard] = useState<string>(TEST_CARDS[0][0]);
  const [state, setState] = useState<DepositState | null>(null);
  const key = useRef({ body: "", requestId: "" });
  const amountMinor = parseAmount(text, currencyCode);

  const deposit = useCommand(async (minor: bigint) => {
    setState(null);
    const body = `${minor} ${card}`;
    if (key.current.body !== body) key.current = { body, requestId: newRequestId() };
    try {
      const answer = await wallet.createDeposit({
        requestId: key.current.requestId,
        amount: { currencyCode, amountMinor: minor },
        paymentMethodId: card,
      });
      key.current = { body: "", requestId: "" };
      setState(answer.deposit?.state ?? null);
      if (answer.deposit?.state === DepositState.SUCCEEDED) onDone?.();
    } catch (error) {
      if (!failureOf(error).outcomeUnknown) key.current = { body: "", requestId: "" };
      throw error;
    } finally {
      await refreshWallet();
    }
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (amountMinor !== null) void deposit.run(amountMinor);
  };
  const fields = deposit.failure?.fields ?? {};
  const amountProblem = amountMinor === null && text ? "Enter an amount, for example 200." : "";
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field
        label="Amount"
        inputMode="decimal"
        autoComplete="off"
        prefix={currencyCode}
        value={text}
        onChange={(event) => setText(event.target.value)}
        problem={amountProblem || fields.amount || fields["amount.amount_minor"]}
      />
      {brief ? null : (
        <Chips
          label="Quick amounts"
          chips={QUICK_AMOUNTS_MINOR.map((minor) => ({
            text: formatRound(minor, currencyCode),
            onPick: () => setText(amountForInput(minor, currencyCode)),
          }))}
        />
      )}
      <Choice
        label="Pay with"
        hint={brief ? undefined : "Test cards of the payment processor: no real money moves."}
        value={card}
        options={TEST_CARDS}
        onChange={setCard}
        problem={fields.payment_method_id}
      />
      {deposit.failure && Object.keys(fields).length === 0 ? (
        <Notice kind="bad">{sentenceFor(deposit.failure, currencyCode)}</Notice>
      ) : null}
      {state === null ? null : <DepositNotice state={state} />}
      <Button type="submit" wide busy={deposit.busy} disabled={amountMinor === null}>
        Add {amountMinor === null ? "money" : formatMinor(amountMinor, currencyCode)}
      </Button>
    </form>
  );
}

function DepositNotice({ state }: { state: DepositState }) {
  switch (state) {
    case DepositState.SUCCEEDED:
      return <Notice kind="good">The money is in your wallet.</Notice>;
    case DepositState.FAILED:
      return <Notice kind="bad">The payment failed; no money moved.</Notice>;
    case DepositState.REQUIRES_ACTION:
      return <Notice kind="warn">Your bank asks you to confirm this payment with them.</Notice>;
    default:
      return <Notice kind="warn">The payment is on its way; the balance follows by itself.</Notice>;
  }
}
