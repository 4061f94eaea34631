import type { Selection } from "../../lib/bulk-input.ts";

/** What is chosen in the table: some rows by hand, or all that matched at a moment. */
export type Chosen =
  | { readonly kind: "rows" /** Names by id. */; readonly rows: ReadonlyMap<string, string> }
  | {
      readonly kind: "all";
      readonly q: string /** When it was chosen, ms. */;
      readonly at: number;
      readonly machines: number;
    };

export const nothing: Chosen = { kind: "rows", rows: new Map() };
/** Rows that can be chosen by hand; more are chosen as all that match. */
export const mostByHand = 1_000;

export const countOf = (chosen: Chosen): number => (chosen.kind === "all" ? chosen.machines : chosen.rows.size);
export const isChosen = (chosen: Chosen, id: string): boolean => chosen.kind === "all" || chosen.rows.has(id);

/** These rows too, as far as there is room. */
export function withRows(chosen: Chosen, rows: readonly { id: string; hostname: string }[]): Chosen {
  const next = new Map(chosen.kind === "all" ? [] : chosen.rows);
  for (const { id, hostname } of rows) if (next.has(id) || next.size < mostByHand) next.set(id, hostname);
  return { kind: "rows", rows: next };
}

export function withoutRow(chosen: Chosen, id: string): Chosen {
  const next = new Map(chosen.kind === "all" ? [] : chosen.rows);
  next.delete(id);
  return { kind: "rows", rows: next };
}

/** As the server takes it. */
export const selectionOf = (chosen: Chosen): Selection =>
  chosen.kind === "all" ? { kind: "all", q: chosen.q, at: chosen.at } : { kind: "rows", ids: [...chosen.rows.keys()] };
