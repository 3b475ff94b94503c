import styles from "./avatar.module.css";
import { hashOf, hueOf } from "./hues";

/** A bidder's face: shapes and colours drawn from the alias, the same for everyone who watches. */
export function Avatar({ alias, size = 36 }: { alias: string; size?: number }) {
  const hash = hashOf(alias);
  const hue = hueOf(alias);
  const bit = (shift: number, values: number) => (hash >>> shift) % values;
  const turn = bit(9, 4) * 90;
  const light = `oklch(0.84 0.13 ${hue})`;
  const deep = `oklch(0.42 0.13 ${(hue + 30 + bit(4, 60)) % 360})`;
  const spark = `oklch(0.72 0.19 ${(hue + 150 + bit(14, 80)) % 360})`;
  return (
    <svg
      className={styles.avatar}
      width={size}
      height={size}
      viewBox="0 0 40 40"
      aria-hidden="true"
    >
      <rect width="40" height="40" fill={light} />
      <g transform={`rotate(${turn} 20 20)`}>
        <Ground kind={bit(17, 4)} fill={deep} />
        <Mark kind={bit(21, 4)} fill={spark} />
      </g>
    </svg>
  );
}

function Ground({ kind, fill }: { kind: number; fill: string }) {
  if (kind === 0) return <path d="M0 40V0a40 40 0 0 1 40 40z" fill={fill} />;
  if (kind === 1) return <path d="M0 22h40v18H0z" fill={fill} />;
  if (kind === 2) return <path d="M0 40 40 0v40z" fill={fill} />;
  return <path d="M0 40a20 20 0 0 1 40 0z" fill={fill} />;
}

function Mark({ kind, fill }: { kind: number; fill: string }) {
  if (kind === 0) return <circle cx="27" cy="13" r="8" fill={fill} />;
  if (kind === 1) return <path d="M20 4h14v14a14 14 0 0 1-14-14z" fill={fill} />;
  if (kind === 2) return <path d="M13 12h14v14H13z" fill={fill} />;
  return <path d="M20 8a12 12 0 0 1 12 12h-6a6 6 0 0 0-12 0H8A12 12 0 0 1 20 8z" fill={fill} />;
}
