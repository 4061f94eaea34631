/* Values of a form's piece by path, and what typed text stands for. Pure. */

/** The value at `settings.connection.reach`. */
export function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key], value);
}

/** The same with another value there; objects on the way are made where they are missing. */
export function put(value: unknown, path: string, next: unknown): unknown {
  const [key = "", ...rest] = path.split(".");
  const old = (value ?? {}) as Record<string, unknown>;
  return { ...old, [key]: rest.length === 0 ? next : put(old[key], rest.join("."), next) };
}

/** A number where the text is one, else the text: the rule then names it. */
export const numberOf = (text: string): number | string =>
  /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text.trim();

/** Lines that say something. */
export const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** `team=messaging`, one a line. */
export function pairsOf(text: string): { pairs: Record<string, string>; problem: string | null } {
  const pairs: Record<string, string> = {};
  for (const line of linesOf(text)) {
    const middle = line.indexOf("=");
    if (middle < 1) return { pairs, problem: `"${line.slice(0, 60)}" is no pair; use e.g. team=messaging` };
    pairs[line.slice(0, middle).trim()] = line.slice(middle + 1).trim();
  }
  return { pairs, problem: null };
}

/** An id made of a name: "Proxy team, Zürich" becomes proxy-team-zurich. */
export const idFrom = (name: string): string =>
  name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);
