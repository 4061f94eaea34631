import type { MachineRow } from "@lynceus/protocol/read-api";

/** Rows of a list by their place in it; places that were not looked at are not there. */
export interface Loaded {
  rows: ReadonlyMap<number, MachineRow>;
  total: number;
  asOf: string;
}

interface Page {
  items: readonly MachineRow[];
  total: number;
  asOf: string;
}

/** These rows at these places, beside what is there. */
export function insteadOf(
  rows: ReadonlyMap<number, MachineRow>,
  items: readonly MachineRow[],
  from: number,
): ReadonlyMap<number, MachineRow> {
  const next = new Map(rows);
  for (const [i, item] of items.entries()) next.set(from + i, item);
  return next;
}

/** A list whose first rows are known. */
export const place = (page: Page): Loaded => ({
  rows: insteadOf(new Map(), page.items, 0),
  total: page.total,
  asOf: page.asOf,
});

/**
 * What a newer answer makes of the rows that are looked at: their values change in place, and their order stays as it is.
 * Rows elsewhere are let go: they are read anew when somebody comes there. `touched`: ids whose state changed. `moved`: at
 * how many places another machine would stand now.
 */
export function windowOf(
  was: Loaded,
  page: Page,
  from: number,
): { rows: ReadonlyMap<number, MachineRow>; touched: string[]; moved: number } {
  const fresh = new Map(page.items.map((row) => [row.id, row]));
  const rows = new Map<number, MachineRow>();
  const touched: string[] = [];
  let moved = 0;
  for (const [i, item] of page.items.entries()) {
    const before = was.rows.get(from + i);
    if (before === undefined) {
      // Nobody saw what stood there.
      rows.set(from + i, item);
      continue;
    }
    if (before.id !== item.id) moved++;
    const now = fresh.get(before.id);
    if (now !== undefined && isChanged(before, now)) touched.push(before.id);
    rows.set(from + i, now ?? before);
  }
  return { rows, touched, moved };
}

function isChanged(was: MachineRow, is: MachineRow): boolean {
  return (
    was.status !== is.status ||
    was.verdictConfigured !== is.verdictConfigured ||
    was.chainConfigured !== is.chainConfigured ||
    was.primary?.cause !== is.primary?.cause
  );
}
