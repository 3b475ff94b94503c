import { buttonClass } from "../../components/button";
import { useTitle } from "../../components/use_title";
import { Link } from "../../router";
import styles from "./not_found.module.css";

/** Says that there is nothing under this address. */
export function NotFoundPage({ what = "There is nothing under this address." }: { what?: string }) {
  useTitle("Not found");
  return (
    <div className={styles.lost}>
      <p className={styles.number} aria-hidden="true">
        404
      </p>
      <h1>Gone, or never here</h1>
      <p className={styles.what}>{what}</p>
      <Link href="/" className={buttonClass("primary")}>
        See what is live
      </Link>
    </div>
  );
}
