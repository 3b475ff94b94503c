import { type InputHTMLAttributes, type ReactNode, useId } from "react";
import styles from "./field.module.css";

interface FieldText {
  label: string;
  hint?: ReactNode;
  /** What is wrong with the value; shown and announced in place of the hint. */
  problem?: string | undefined;
}

/** A labelled text field. */
export function Field({
  label,
  hint,
  problem,
  prefix,
  ...input
}: FieldText & Omit<InputHTMLAttributes<HTMLInputElement>, "prefix"> & { prefix?: string }) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} problem={problem}>
      <span className={styles.box} data-problem={Boolean(problem)}>
        {prefix ? <span className={styles.prefix}>{prefix}</span> : null}
        <input {...input} {...described(id, hint, problem)} className={styles.input} />
      </span>
    </Frame>
  );
}

/** A labelled text field of several lines. */
export function TextField({
  label,
  hint,
  problem,
  value,
  onChange,
  maxLength,
}: FieldText & { value: string; onChange: (value: string) => void; maxLength: number }) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} problem={problem}>
      <span className={styles.box} data-problem={Boolean(problem)}>
        <textarea
          {...described(id, hint, problem)}
          className={styles.input}
          rows={4}
          value={value}
          maxLength={maxLength}
          onChange={(event) => onChange(event.target.value)}
        />
      </span>
    </Frame>
  );
}

/** A labelled choice among a few values. */
export function Choice<Value extends string>({
  label,
  hint,
  problem,
  value,
  options,
  onChange,
}: FieldText & {
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChange: (value: Value) => void;
}) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} problem={problem}>
      <span className={styles.box} data-problem={Boolean(problem)}>
        <select
          {...described(id, hint, problem)}
          className={styles.input}
          value={value}
          onChange={(event) => onChange(event.target.value as Value)}
        >
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      </span>
    </Frame>
  );
}

function Frame({
  id,
  label,
  hint,
  problem,
  children,
}: FieldText & { id: string; children: ReactNode }) {
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      {children}
      {problem ? (
        <p className={styles.problem} id={`${id}-note`} role="alert">
          {problem}
        </p>
      ) : hint ? (
        <p className={styles.hint} id={`${id}-note`}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

function described(id: string, hint: ReactNode, problem: string | undefined) {
  return {
    id,
    "aria-invalid": Boolean(problem),
    "aria-describedby": hint || problem ? `${id}-note` : undefined,
  };
}
