import type { AuctionFormat } from "@contracts/blytz/auction/v1/auction_pb";
import { wordsOf } from "../format/auction_format";
import styles from "./format_badge.module.css";

/** Names the format of an auction. */
export function FormatBadge({ format }: { format: AuctionFormat | undefined }) {
  const { name, hint } = wordsOf(format);
  return (
    <span className={styles.badge} title={hint}>
      {name}
    </span>
  );
}
