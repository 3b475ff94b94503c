import { describe, expect, it } from "vitest";
import { formatAgo, formatRemaining, formatSpan } from "../../src/format/time";

describe("the time that is left", () => {
  it.each([
    [-5, "0.0"],
    [3_270, "3.2"],
    [42_000, "0:42"],
    [605_000, "10:05"],
    [3_900_000, "1h 5m"],
    [183_600_000, "2d 3h"],
  ])("of %d ms reads %s", (leftMs, text) => {
    expect(formatRemaining(leftMs).text).toBe(text);
  });

  it("is said in words", () => {
    expect(formatRemaining(62_000).spoken).toBe("1 minute 2 seconds");
    expect(formatRemaining(42_000).spoken).toBe("42 seconds");
  });
});

it("says how long ago something was", () => {
  expect(formatAgo(12_000)).toBe("12s ago");
  expect(formatAgo(-300)).toBe("now");
});

it("writes a span of the contract's", () => {
  expect(formatSpan({ $typeName: "google.protobuf.Duration", seconds: 30n, nanos: 0 })).toBe(
    "30 sec",
  );
});
