/** Bounds of a password, in characters. */
export const passwordLength = { least: 12, most: 128 } as const;
