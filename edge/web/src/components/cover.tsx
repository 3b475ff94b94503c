import { useState } from "react";
import styles from "./cover.module.css";
import { hashOf } from "./hues";

const COLUMNS = 6;
const ROWS = 4;
const TILE = 20;

/** The picture of a lot; a lot without one gets a pattern of its own, drawn from its title. */
export function Cover({ title, imageUrl }: { title: string; imageUrl: string }) {
  const [failedUrl, setFailedUrl] = useState("");
  if (imageUrl && imageUrl !== failedUrl) {
    return (
      <img
        className={styles.cover}
        src={imageUrl}
        alt={title}
        decoding="async"
        onError={() => setFailedUrl(imageUrl)}
      />
    );
  }
  return <Pattern seed={hashOf(title)} />;
}

function Pattern({ seed }: { seed: number }) {
  const hue = seed % 360;
  const far = (hue + 40 + (seed >>> 9) % 60) % 360;
  const colours = [
    `oklch(0.93 0.05 ${hue})`,
    `oklch(0.78 0.13 ${hue})`,
    `oklch(0.62 0.16 ${far})`,
    `oklch(0.36 0.09 ${far})`,
    `oklch(0.88 0.15 ${(hue + 180) % 360})`,
  ];
  const tiles = Array.from({ length: COLUMNS * ROWS }, (_, index) => {
    const hash = hashOf(`${seed}/${index}`);
    const pick = (shift: number) => colours[(hash >>> shift) % colours.length] as string;
    const x = (index % COLUMNS) * TILE;
    const y = Math.floor(index / COLUMNS) * TILE;
    const turn = ((hash >>> 12) % 4) * 90;
    return (
      <g key={`${x} ${y}`} transform={`translate(${x} ${y}) rotate(${turn} 10 10)`}>
        <rect width={TILE + 0.3} height={TILE + 0.3} fill={pick(3)} />
        <Shape kind={(hash >>> 18) % 5} fill={pick(6)} core={pick(22)} />
      </g>
    );
  });
  return (
    <svg
      className={styles.cover}
      viewBox={`0 0 ${COLUMNS * TILE} ${ROWS * TILE}`}
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
    >
      {tiles}
    </svg>
  );
}

function Shape({ kind, fill, core }: { kind: number; fill: string; core: string }) {
  if (kind === 0) return <path d="M0 20V0a20 20 0 0 1 20 20z" fill={fill} />;
  if (kind === 1) return <path d="M0 0h20L0 20z" fill={fill} />;
  if (kind === 2) return <path d="M0 20a10 10 0 0 1 20 0zM0 10a10 10 0 0 1 20 0z" fill={fill} />;
  if (kind === 3) {
    return (
      <>
        <circle cx="10" cy="10" r="8" fill={fill} />
        <circle cx="10" cy="10" r="3.5" fill={core} />
      </>
    );
  }
  return null;
}
