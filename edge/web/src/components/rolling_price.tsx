import type { Money } from "@contracts/blytz/common/v1/money_pb";
import { moneyParts } from "../format/money";
import styles from "./rolling_price.module.css";

/** A price in large figures; a figure that changes rolls in. Its sound is somebody else's part. */
export function RollingPrice({ money }: { money: Money }) {
  const characters = moneyParts(money).flatMap((part) =>
    [...part.value].map((character) => ({ character, type: part.type })),
  );
  return (
    <span className={styles.price} aria-hidden="true">
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
