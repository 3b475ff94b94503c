import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@contracts/google/rpc/error_details_pb";
import { describe, expect, it } from "vitest";
import { failureOf } from "../../src/api/failure";
import { sentenceFor } from "../../src/api/sentences";

function refused(code: Code, reason: string, metadata: Record<string, string> = {}) {
  const value = { reason, domain: "blytz.live", metadata };
  return failureOf(new ConnectError("no", code, undefined, [{ desc: ErrorInfoSchema, value }]));
}

describe("a failure", () => {
  it("names the fields that broke a rule, and when to come back", () => {
    const fieldViolations = [{ field: "password", description: "at least 10 characters" }];
    const failure = failureOf(
      new ConnectError("no", Code.InvalidArgument, undefined, [
        { desc: BadRequestSchema, value: { fieldViolations } },
        { desc: RetryInfoSchema, value: { retryDelay: { seconds: 1n, nanos: 500_000_000 } } },
      ]),
    );
    expect(failure.fields).toEqual({ password: "at least 10 characters" });
    expect(failure.retryAfterMs).toBe(1500);
  });

  it("takes a request that reached nobody for an absence", () => {
    const failure = failureOf(new TypeError("Failed to fetch"));
    expect(failure.code).toBe(Code.Unavailable);
    expect(failure.outcomeUnknown).toBe(true);
  });

  it("is told in the server's words where only they say what is wrong", () => {
    const told = refused(Code.FailedPrecondition, "RETRACTION_NOT_ALLOWED");
    expect(sentenceFor({ ...told, message: "it was placed too long ago" })).toBe(
      "It was placed too long ago",
    );
    expect(sentenceFor({ ...told, message: "" })).not.toBe("");
  });

  it("is told with the amounts that came with it", () => {
    const low = refused(Code.FailedPrecondition, "BID_TOO_LOW", { minimum_minor: "1250" });
    expect(sentenceFor(low)).toContain("$12.50");
    const short = refused(Code.FailedPrecondition, "INSUFFICIENT_FUNDS", { shortfall_minor: "99" });
    expect(sentenceFor(short)).toContain("$0.99");
  });

  it("is told in a sentence even when its reason is not known", () => {
    expect(sentenceFor(refused(Code.FailedPrecondition, "OF_THE_FUTURE"))).toMatch(/\.$/);
    expect(sentenceFor(failureOf("anything"))).toMatch(/\.$/);
  });
});
