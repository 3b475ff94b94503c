/** The page's few pictograms, drawn on a 24-unit grid in the colour of the text around them. */
const PATHS = {
  bolt: "M13.5 2.5 5 13.5h5.5L9.5 21.5 19 9.5h-6z",
  clock: "M12 7v5l3.2 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0",
  back: "M15 5l-7 7 7 7",
  wallet: "M4 7.5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zm0 0 11-3.5v3.5M16.5 13.5h.01",
  shield: "M12 3l7.5 3v5.5c0 4.5-3.2 7.9-7.5 9.5-4.3-1.6-7.5-5-7.5-9.5V6z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6 6 18",
  up: "M12 19V6m-5.5 5.5L12 6l5.5 5.5",
  plus: "M12 5v14M5 12h14",
  heart:
    "M12 20.5S3.5 15.5 3.5 9.3A4.6 4.6 0 0 1 12 6.9a4.6 4.6 0 0 1 8.5 2.4c0 6.2-8.5 11.2-8.5 11.2z",
  gavel: "M13.5 4.5l6 6M11 7l6 6M15 5.5 9.5 11M18 9l-5.5 5.5M12.5 10.5 5 18.5M4 21h9",
} as const;

/** A pictogram; it is decoration, the words beside it carry the meaning. */
export function Icon({ name, size = 20 }: { name: keyof typeof PATHS; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill={name === "bolt" ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth={name === "bolt" ? 0 : 2}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
