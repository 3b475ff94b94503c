import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@contracts/google/rpc/error_details_pb";

/** What went wrong with a call, read from the details of its status. */
export interface Failure {
  readonly code: Code;
  /** The reason that the contract documents, for example `BID_TOO_LOW`; empty if none was given. */
  readonly reason: string;
  /** What the server said in words. */
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** A message for each request field that broke a rule of the contract, by the field's name. */
  readonly fields: Readonly<Record<string, string>>;
  /** How long the server asks to wait before another attempt; absent if it does not say. */
  readonly retryAfterMs: number | undefined;
  /** Whether the call may have had its effect although no answer came. */
  readonly outcomeUnknown: boolean;
}

const OUTCOME_UNKNOWN = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Unknown]);

/**
 * Reads an error of any kind as a failure. A request that never reached a server is `Unavailable`.
 */
export function failureOf(error: unknown): Failure {
  const status = asStatus(error);
  const info = status.findDetails(ErrorInfoSchema)[0];
  const delay = status.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const fields: Record<string, string> = {};
  for (const detail of status.findDetails(BadRequestSchema)) {
    for (const violation of detail.fieldViolations)
      fields[violation.field] ??= violation.description;
  }
  return {
    code: status.code,
    reason: info?.reason ?? "",
    message: status.rawMessage,
    metadata: info?.metadata ?? {},
    fields,
    retryAfterMs: delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6,
    outcomeUnknown: OUTCOME_UNKNOWN.has(status.code),
  };
}

/**
 * Returns an error as a status; what `fetch` throws when there is no connection becomes
 * `Unavailable`.
 */
export function asStatus(error: unknown): ConnectError {
  const status = ConnectError.from(error);
  if (status.code === Code.Unknown && status.cause instanceof TypeError) {
    return new ConnectError("no connection to the server", Code.Unavailable, undefined, [], error);
  }
  return status;
}
