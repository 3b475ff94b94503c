import type { DescMessage, DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { getOption } from "@bufbuild/protobuf";
import { Code, type Transport } from "@connectrpc/connect";
import { Idempotency, type Policy, policy } from "@contracts/blytz/options/v1/policy_pb";
import type { ServerClock } from "./clock";
import { asStatus, failureOf } from "./failure";
import { backOffMs, pause } from "./pause";

const ATTEMPTS_MAX = 4;
const BACK_OFF = { firstMs: 150, longestMs: 1500 };
const RETRY_AFTER_LONGEST_MS = 3000;

/** Where the access token of a call comes from. */
export interface Tokens {
  /** Returns a token that should still be accepted; null when nobody is signed in. */
  accessToken(): Promise<string | null>;
  /** Returns the token that replaces one that the server refused; null when the session is over. */
  replace(refusedToken: string): Promise<string | null>;
}

/** The tokens of a client that never signs in. */
export const NO_TOKENS: Tokens = {
  accessToken: async () => null,
  replace: async () => null,
};

/**
 * A transport that behaves as the contract says: each call has the deadline of its policy, goes to
 * the replica that its policy names, and is repeated only where the policy calls that safe.
 */
export function contractTransport(base: Transport, tokens: Tokens, clock: ServerClock): Transport {
  return {
    async unary(method, signal, timeoutMs, header, input, contextValues) {
      const rules = getOption(method, policy);
      const headers = new Headers(header);
      const routeKey = routeKeyOf(method, rules, input);
      if (routeKey) headers.set("x-route-key", routeKey);
      const call = () =>
        withToken(tokens, headers, () =>
          base.unary(method, signal, timeoutMs ?? rules.timeoutMs, headers, input, contextValues),
        );
      const response = await repeatWhereSafe(rules, signal, call);
      const date = Date.parse(response.header.get("date") ?? "");
      if (!Number.isNaN(date)) clock.observe(date);
      return response;
    },
    stream(method, signal, timeoutMs, header, input, contextValues) {
      const rules = getOption(method, policy);
      const headers = new Headers(header);
      return withToken(tokens, headers, () =>
        base.stream(method, signal, timeoutMs ?? rules.timeoutMs, headers, input, contextValues),
      );
    },
  };
}

/** Returns the value of the field that picks the replica; empty when any replica will do. */
function routeKeyOf<I extends DescMessage>(
  method: DescMethod,
  rules: Policy,
  input: MessageInitShape<I>,
): string {
  const field = method.input.fields.find((candidate) => candidate.name === rules.routeBy);
  const value = field && (input as Record<string, unknown>)[field.localName];
  return typeof value === "string" ? value : "";
}

/** Makes a call as the person who is signed in; a refused token is replaced once. */
async function withToken<R>(tokens: Tokens, headers: Headers, call: () => Promise<R>): Promise<R> {
  const token = await tokens.accessToken();
  if (token === null) return await call();
  headers.set("authorization", `Bearer ${token}`);
  try {
    return await call();
  } catch (error) {
    if (failureOf(error).code !== Code.Unauthenticated) throw error;
    const next = await tokens.replace(token);
    if (next === null) headers.delete("authorization");
    else headers.set("authorization", `Bearer ${next}`);
    return await call();
  }
}

async function repeatWhereSafe<R>(
  rules: Policy,
  signal: AbortSignal | undefined,
  call: () => Promise<R>,
): Promise<R> {
  const safe =
    rules.idempotency === Idempotency.YES || rules.idempotency === Idempotency.BY_REQUEST_ID;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const { code, retryAfterMs } = failureOf(error);
      const waitMs = retryAfterMs ?? backOffMs(attempt, BACK_OFF);
      const again = safe && code === Code.Unavailable && attempt < ATTEMPTS_MAX;
      if (!again || waitMs > RETRY_AFTER_LONGEST_MS) throw asStatus(error);
      await pause(waitMs, signal);
    }
  }
}
