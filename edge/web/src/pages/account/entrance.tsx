import type { ReactNode } from "react";
import type { Failure } from "../../api/failure";
import { sentenceFor } from "../../api/sentences";
import { Cover } from "../../components/cover";
import { Notice } from "../../components/notice";
import styles from "./entrance.module.css";

/** The sheet around the sign-in and sign-up forms. */
export function Entrance({
  title,
  other,
  children,
}: {
  title: string;
  other: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className={styles.entrance}>
      <div className={styles.picture} aria-hidden="true">
        <Cover title="going, going" imageUrl="" />
        <p className={styles.motto}>
          Going,
          <br />
          going,
          <br />
          yours.
        </p>
      </div>
      <div className={styles.sheet}>
        <h1>{title}</h1>
        {children}
        <p className={styles.other}>{other}</p>
      </div>
    </div>
  );
}

/** What went wrong with a form as a whole; what belongs to a field is shown there. */
export function FormProblem({ failure }: { failure: Failure | null }) {
  if (!failure || Object.keys(failure.fields).length > 0) return null;
  return <Notice kind="bad">{sentenceFor(failure)}</Notice>;
}
