import { describe, expect, it } from "vitest";
import {
  decimalText,
  formatMinor,
  formatRound,
  moneyParts,
  parseAmount,
  roundAmountsAbove,
} from "../../src/format/money";
import { usd } from "../fakes/frames";

describe("an amount", () => {
  it("is written exactly, however large", () => {
    expect(decimalText(1250n, "USD")).toBe("12.50");
    expect(decimalText(5n, "USD")).toBe("0.05");
    expect(decimalText(-5n, "USD")).toBe("-0.05");
    expect(decimalText(1250n, "JPY")).toBe("1250");
    expect(formatMinor(9_007_199_254_740_993n, "USD", "en-US")).toBe("$90,071,992,547,409.93");
  });

  it("is short when it is round", () => {
    expect(formatRound(100_000n, "USD", "en-US")).toBe("$1,000");
    expect(formatRound(1250n, "USD", "en-US")).toBe("$12.50");
    expect(formatRound(1000n, "JPY", "en-US")).toBe("¥1,000");
  });

  it("comes in parts", () => {
    const parts = moneyParts(usd(123_456), "en-US").map((part) => part.value);
    expect(parts.join("")).toBe("$1,234.56");
  });

  it.each([
    ["12.50", "en-US", 1250n],
    ["$1,234.5", "en-US", 123_450n],
    [" 7 ", "en-US", 700n],
    [".5", "en-US", 50n],
    ["1.234,50", "de-DE", 123_450n],
    ["12,5", "de-DE", 1250n],
    ["0", "en-US", null],
    ["", "en-US", null],
    ["12.505", "en-US", null],
    ["1.2.3", "en-US", null],
    ["-3", "en-US", null],
    ["1e3", "en-US", null],
  ] as const)("is read from %j in %s", (text, language, amountMinor) => {
    expect(parseAmount(text, "USD", language)).toBe(amountMinor);
  });

  it.each([
    [1250n, [1500n, 2000n, 3000n]],
    [75n, [100n, 200n, 400n]],
    [13_250n, [15_000n, 20_000n, 30_000n]],
  ] as const)("has round ones above %s", (minimumMinor, expected) => {
    const amounts = roundAmountsAbove(minimumMinor, "USD");
    expect(amounts).toEqual(expected);
    expect(amounts.every((amount) => amount > minimumMinor)).toBe(true);
  });
});
