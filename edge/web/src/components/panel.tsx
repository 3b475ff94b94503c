import type { ReactNode } from "react";
import styles from "./panel.module.css";

/** A raised sheet with a heading. */
export function Panel({
  title,
  lead,
  children,
}: {
  title?: string;
  lead?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={styles.panel}>
      {title ? <h2 className={styles.title}>{title}</h2> : null}
      {lead ? <p className={styles.lead}>{lead}</p> : null}
      {children}
    </section>
  );
}

/** The heading of a page, with a sentence below it. */
export function PageHeading({ title, lead }: { title: string; lead?: ReactNode }) {
  return (
    <div className={styles.heading}>
      <h1>{title}</h1>
      {lead ? <p className={styles.lead}>{lead}</p> : null}
    </div>
  );
}
