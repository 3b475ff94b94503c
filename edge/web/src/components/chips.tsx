import styles from "./chips.module.css";

/** A row of small choices that fill something in. */
export function Chips({
  label,
  chips,
}: {
  label: string;
  chips: readonly { text: string; onPick: () => void; picked?: boolean }[];
}) {
  return (
    <fieldset className={styles.chips}>
      <legend className="visually-hidden">{label}</legend>
      {chips.map(({ text, onPick, picked = false }) => (
        <button key={text} type="button" onClick={onPick} aria-pressed={picked}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}
