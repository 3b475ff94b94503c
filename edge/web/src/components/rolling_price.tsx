import type { Money } from "@contracts/blytz/common/v1/money_pb";
import type { CSSProperties } from "react";
import { moneyParts } from "../format/money";
import styles from "./rolling_price.module.css";

/** How wide a character is, in parts of the price's size. */
const WIDE_EM: Partial<Record<Intl.NumberFormatPartTypes, number>> = {
  integer: 0.72,
  group: 0.3,
  decimal: 0.16,
};

/** A price in large figures; a figure that changes rolls in. Its sound is somebody else's part. */
export function RollingPrice({ money }: { money: Money }) {
  const characters = moneyParts(money).flatMap((part) =>
    [...part.value].map((character) => ({ character, type: part.type })),
  );
  // The figures are as large as the place allows, however many they are.
  const wideEm = characters.reduce((sum, { type }) => sum + (WIDE_EM[type] ?? 0.4), 0);
  return (
    <span
      className={styles.price}
      style={{ "--wide-em": wideEm } as CSSProperties}
      aria-hidden="true"
    >
      {characters.map(({ character, type }, index) => {
        // Counted from the right, so that a figure keeps its place when the price gains one.
        const place = characters.length - index;
        return (
          <span key={`${place} ${character}`} className={styles.figure} data-type={type}>
            {character}
          </span>
        );
      })}
    </span>
  );
}
