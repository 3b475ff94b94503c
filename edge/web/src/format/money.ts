import type { Money } from "@contracts/blytz/common/v1/money_pb";

/** The language and region that amounts and times are written in. */
export const locale: string = globalThis.navigator?.language ?? "en-US";

const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currencyCode: string, language: string): Intl.NumberFormat {
  const key = `${language} ${currencyCode}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, { style: "currency", currency: currencyCode });
    formats.set(key, format);
  }
  return format;
}

/** Returns how many decimals a currency has, for example 2 for USD and 0 for JPY. */
export function decimalsOf(currencyCode: string): number {
  return formatOf(currencyCode, locale).resolvedOptions().maximumFractionDigits ?? 2;
}

/** Writes an amount of minor units exactly, for example 1250 as `12.50`; no float is involved. */
export function decimalText(amountMinor: bigint, currencyCode: string): `${number}` {
  const decimals = decimalsOf(currencyCode);
  const digits = (amountMinor < 0n ? -amountMinor : amountMinor)
    .toString()
    .padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const sign = amountMinor < 0n ? "-" : "";
  const fraction = digits.slice(digits.length - decimals);
  return `${sign}${whole}${decimals ? `.${fraction}` : ""}` as `${number}`;
}

/** Writes minor units as people do, for example 1250 as `$12.50`. */
export function formatMinor(amountMinor: bigint, currencyCode: string, language = locale): string {
  return formatOf(currencyCode, language).format(decimalText(amountMinor, currencyCode));
}

/** Writes minor units without a fraction of zeros, for example 1500 as `$15`. */
export function formatRound(amountMinor: bigint, currencyCode: string, language = locale): string {
  const format = new Intl.NumberFormat(language, {
    style: "currency",
    currency: currencyCode,
    trailingZeroDisplay: "stripIfInteger",
  });
  return format.format(decimalText(amountMinor, currencyCode));
}

/** Writes an amount as people do, for example `$12.50`; an absent amount is a dash. */
export function formatMoney(money: Money | undefined, language = locale): string {
  return money ? formatMinor(money.amountMinor, money.currencyCode, language) : "–";
}

/** Writes an amount in parts, so that symbol, whole and fraction can look different. */
export function moneyParts(money: Money, language = locale): Intl.NumberFormatPart[] {
  const text = decimalText(money.amountMinor, money.currencyCode);
  return formatOf(money.currencyCode, language).formatToParts(text as unknown as number);
}

/**
 * Reads what a person typed as minor units, with the separators of their language; null if it is
 * not an amount above zero with at most the currency's decimals.
 */
export function parseAmount(text: string, currencyCode: string, language = locale): bigint | null {
  const parts = new Intl.NumberFormat(language).formatToParts(12345.6);
  const group = parts.find((part) => part.type === "group")?.value ?? ",";
  const point = parts.find((part) => part.type === "decimal")?.value ?? ".";
  const plain = text.replace(/[\s\u00a0\u202f'’]|\p{Sc}/gu, "").replaceAll(group.trim(), "");
  const [whole = "", fraction = "", ...rest] = plain.split(point);
  const decimals = decimalsOf(currencyCode);
  if (rest.length > 0 || !/^\d{1,10}$/.test(whole || "0") || !/^\d*$/.test(fraction)) return null;
  if (fraction.length > decimals || (!whole && !fraction)) return null;
  const amountMinor = BigInt((whole || "0") + fraction.padEnd(decimals, "0"));
  return amountMinor > 0n ? amountMinor : null;
}

/** Writes minor units for an input field in the person's language, without symbol and groups. */
export function amountForInput(amountMinor: bigint, currencyCode: string): string {
  const decimals = decimalsOf(currencyCode);
  const format = new Intl.NumberFormat(locale, {
    useGrouping: false,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return format.format(decimalText(amountMinor, currencyCode));
}

/**
 * Returns three round amounts above a minimum, as quick choices of a maximum: 12.50 → 15, 20, 30.
 */
export function roundAmountsAbove(minimumMinor: bigint, currencyCode: string): bigint[] {
  const unit = 10n ** BigInt(decimalsOf(currencyCode));
  let step = unit;
  while (step * 10n <= minimumMinor) step *= 10n;
  const grain = step / 2n > unit ? step / 2n : unit;
  const first = (minimumMinor / grain + 1n) * grain;
  return [first, first + grain, first + 3n * grain];
}
