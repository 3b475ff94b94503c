import { Link, signInAddress } from "../router";
import { buttonClass } from "./button";
import styles from "./sign_in_first.module.css";

/** Stands where a page is only for people who are signed in. */
export function SignInFirst({ title, why }: { title: string; why: string }) {
  return (
    <div className={styles.sheet}>
      <h1>{title}</h1>
      <p>{why}</p>
      <div className={styles.ways}>
        <Link href={signInAddress("/sign-in")} className={buttonClass("primary")}>
          Sign in
        </Link>
        <Link href={signInAddress("/sign-up")} className={buttonClass("quiet")}>
          Create an account
        </Link>
      </div>
    </div>
  );
}
