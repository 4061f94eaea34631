/** Writes host.js and host.css into a folder. */
export function buildHost(outdir: string): Promise<unknown>;
