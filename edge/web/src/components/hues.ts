/** Returns a stable 32-bit number for a text (FNV-1a), from which colours and shapes are drawn. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  }
  // A last mix, or texts that differ in their last letter alone would look alike.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Returns the hue, 0 to 359 degrees, that stands for a bidder's alias everywhere on the page. */
export function hueOf(alias: string): number {
  return hashOf(alias) % 360;
}

/** Returns the colour that stands for a bidder's alias on the dark stage. */
export function colourOf(alias: string): string {
  return `oklch(0.8 0.15 ${hueOf(alias)})`;
}
