/** Site × pattern: which cells there are and how dark each is (interface section 8). */

export type HeatTone = "bad-fill" | "off" | "stale-fill" | "unk-fill";

/** Per cent of the tone's colour over the panel. Square root of the share, so that 1 % can be seen beside 50 %. */
export function shade(machines: number, reporting: number): number {
  if (machines <= 0) return 0;
  const share = Math.min(1, machines / Math.max(reporting, machines));
  return Math.round(10 + 85 * Math.sqrt(share));
}

/**
 * Whether a cell's text is the panel's colour instead of ink: whichever has more contrast. Worked out per tone from
 * the tokens: only the dark violet and the darkest orange carry light text in the light scheme.
 */
export function lightText(tone: HeatTone, percent: number): boolean {
  if (tone === "unk-fill") return percent > 52;
  if (tone === "bad-fill") return percent > 88;
  return false;
}

/** The shares whose shades the key shows. */
export const keyShares = [0.01, 0.05, 0.2, 0.5] as const;
