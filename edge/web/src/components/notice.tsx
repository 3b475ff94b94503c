import type { ReactNode } from "react";
import styles from "./notice.module.css";

/** A sentence that must not be missed, announced to screen readers. */
export function Notice({ kind, children }: { kind: "good" | "bad" | "warn"; children: ReactNode }) {
  return (
    <div className={`${styles.notice} ${styles[kind]}`} role={kind === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}
