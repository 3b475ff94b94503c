import { FORMATS, type FormatName } from "./choices";
import styles from "./format_choice.module.css";

/** The formats as cards to choose from. */
export function FormatChoice({
  value,
  onChange,
}: {
  value: FormatName;
  onChange: (format: FormatName) => void;
}) {
  return (
    <fieldset className={styles.formats}>
      <legend>How it sells</legend>
      {FORMATS.map(([name, , title, words]) => (
        <label key={name} className={styles.format}>
          <input
            type="radio"
            name="format"
            value={name}
            checked={name === value}
            onChange={() => onChange(name)}
          />
          <span className={styles.name}>{title}</span>
          <span className={styles.words}>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}
