import { useState } from "react";
import { type Failure, failureOf } from "./failure";

/** A command that a person gives: its progress, and what went wrong with the last try. */
export interface Command<Input> {
  readonly busy: boolean;
  readonly failure: Failure | null;
  /** Runs the command; tells whether it went well. */
  readonly run: (input: Input) => Promise<boolean>;
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
      return true;
    } catch (error) {
      setFailure(failureOf(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, run, reset: () => setFailure(null) };
}
