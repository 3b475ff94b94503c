import { useState } from "react";
import styles from "./cover.module.css";
import { hashOf } from "./hues";

const COLUMNS = 6;
const ROWS = 4;
const TILE = 20;
const PALETTES = [
  ["#f3e9d7", "#e4572e", "#17324d", "#f2b134", "#7fb7be"],
  ["#eef1e1", "#2f5d50", "#c9ec4b", "#1a2416", "#9cc5a1"],
  ["#f6e7e4", "#8f2d56", "#f49d6e", "#2b2d42", "#d8a7b1"],
  ["#e9f0f7", "#274690", "#f5b700", "#1b264f", "#8fb8de"],
  ["#f7efe1", "#c8553d", "#588b8b", "#2d3142", "#ffd5c2"],
  ["#efe9f7", "#5b3fa0", "#ff8552", "#221b3a", "#b8a9e0"],
  ["#f2f4e8", "#6a8d3f", "#f4743b", "#28331d", "#c5d49a"],
  ["#f4ede4", "#b5838d", "#355070", "#eaac8b", "#6d597a"],
  ["#e6f2ef", "#0f7173", "#f05d5e", "#272932", "#a7d7c5"],
] as const;

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
  const colours = PALETTES[seed % PALETTES.length] as readonly string[];
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
