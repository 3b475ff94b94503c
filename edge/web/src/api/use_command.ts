import { useState } from "react";
import { type Failure, failureOf } from "./failure";

/** A command that a person gives: its progress, and what went wrong with the last try. */
export interface Command<Input> {
  readonly busy: boolean;
  readonly failure: Failure | null;
  readonly run: (input: Input) => Promise<void>;
  readonly reset: () => void;
}

/** Runs a command of the page one at a time and keeps its failure for the person to read. */
export function useCommand<Input>(action: (input: Input) => Promise<void>): Command<Input> {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const run = async (input: Input) => {
    setBusy(true);
    setFailure(null);
    try {
      await action(input);
    } catch (error) {
      setFailure(failureOf(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, run, reset: () => setFailure(null) };
}
