import type { ButtonHTMLAttributes } from "react";
import styles from "./button.module.css";

type Kind = "primary" | "quiet" | "volt" | "danger";

/** A button; while its work is under way it says so and cannot be pressed again. */
export function Button({
  kind = "primary",
  wide = false,
  busy = false,
  className = "",
  disabled,
  children,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { kind?: Kind; wide?: boolean; busy?: boolean }) {
  const classes = [styles.button, styles[kind], wide ? styles.wide : "", className];
  return (
    <button
      type="button"
      {...rest}
      className={classes.filter(Boolean).join(" ")}
      disabled={disabled || busy}
      aria-busy={busy}
    >
      {children}
      {busy ? <span className={styles.spinner} aria-hidden="true" /> : null}
    </button>
  );
}

/** The look of a button, for links. */
export function buttonClass(kind: Kind, wide = false): string {
  return [styles.button, styles[kind], wide ? styles.wide : ""].filter(Boolean).join(" ");
}
