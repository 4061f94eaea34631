import type { FleetCell } from "@lynceus/db/fleet-cells";
import { compareNatural } from "@lynceus/protocol/present";
import { term } from "../machines/links.ts";
import { shortTitle } from "./short-titles.ts";

/** Site × pattern: which cells there are, what each opens, and how dark it is (interface section 8). */

export type HeatTone = "bad-fill" | "off" | "stale-fill" | "unk-fill";
/** `finding`: failing or at risk, of a moment gone by. */
export type HeatGroup = "failing" | "at-risk" | "finding" | "not-seen";

export interface HeatColumn {
  id: string;
  group: HeatGroup;
  title: string;
  tone: HeatTone;
  /** Filter terms that select exactly what the column counts. */
  query: string;
  total: number;
}

export interface HeatRow {
  site: string | null;
  title: string;
  query: string;
  reporting: number;
  /** One per column. */
  cells: number[];
}

export interface Heat {
  columns: HeatColumn[];
  rows: HeatRow[];
  reporting: number;
  /** Sites that the table leaves out; they are quiet. */
  hidden: number;
}

/** More patterns than this share one column. */
const mostFailing = 5;
const mostAtRisk = 4;
const mostSites = 20;

/** Columns by what they count, rows by site, worst first. */
export function heatOf(cells: readonly FleetCell[]): Heat {
  const reportingCells = cells.filter((cell) => cell.status !== "signed-off");
  const columns: (HeatColumn & { matches: (cell: FleetCell) => boolean })[] = [];
  const add = (column: Omit<HeatColumn, "total">, matches: (cell: FleetCell) => boolean) => {
    const total = sum(reportingCells.filter(matches));
    if (total > 0) columns.push({ ...column, total, matches });
  };
  for (const [group, status, most] of [
    ["failing", "failing", mostFailing],
    ["at-risk", "healthy", mostAtRisk],
  ] as const) {
    const tone = group === "failing" ? "bad-fill" : "off";
    const patterns = byCount(reportingCells.filter((cell) => cell.status === status && cell.pattern !== null));
    const shown = patterns.length > most ? patterns.slice(0, most - 1) : patterns;
    const rest = patterns.slice(shown.length);
    for (const pattern of shown) {
      add(
        {
          id: `${group}-${pattern}`,
          group,
          tone,
          title: shortTitle(pattern),
          query: `${term("status", status)} ${term("primary", pattern)}`,
        },
        (cell) => cell.status === status && cell.pattern === pattern,
      );
    }
    if (rest.length > 0) {
      add(
        {
          id: `${group}-others`,
          group,
          tone,
          title: `${rest.length} others`,
          query: `${term("status", status)} ${term("primary", ...rest)}`,
        },
        (cell) => cell.status === status && cell.pattern !== null && rest.includes(cell.pattern),
      );
    }
    if (group === "failing") {
      add(
        { id: "failing-none", group, tone, title: "No cause named", query: "status:failing primary:none" },
        (cell) => cell.status === "failing" && cell.pattern === null,
      );
    }
  }
  add(
    { id: "stale", group: "not-seen", tone: "stale-fill", title: "Stale", query: "status:stale" },
    (cell) => cell.status === "stale",
  );
  add(
    { id: "cannot-tell", group: "not-seen", tone: "unk-fill", title: "Cannot tell", query: "status:cannot-tell" },
    (cell) => cell.status === "cannot-tell",
  );

  const sites = [...new Set(reportingCells.map((cell) => cell.site))];
  const rows = sites.map((site): HeatRow & { failing: number } => {
    const own = reportingCells.filter((cell) => cell.site === site);
    return {
      site,
      title: site ?? "No site",
      query: site === null ? "site:none,unknown" : term("site", site),
      reporting: sum(own),
      failing: sum(own.filter((cell) => cell.status === "failing")),
      cells: columns.map((column) => sum(own.filter(column.matches))),
    };
  });
  const notQuiet = (row: HeatRow) => row.cells.some((count) => count > 0);
  rows.sort(
    (a, b) =>
      b.failing - a.failing ||
      Number(notQuiet(b)) - Number(notQuiet(a)) ||
      b.reporting - a.reporting ||
      compareNatural(a.title, b.title),
  );
  const shown = rows.slice(0, mostSites);
  return {
    columns: columns.map(({ matches: _, ...column }) => column),
    rows: shown.map(({ failing: _, ...row }) => row),
    reporting: sum(reportingCells),
    hidden: rows.length - shown.length,
  };
}

function byCount(cells: readonly FleetCell[]): string[] {
  const counts = new Map<string, number>();
  for (const cell of cells) {
    if (cell.pattern) counts.set(cell.pattern, (counts.get(cell.pattern) ?? 0) + cell.machines);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || compareNatural(a[0], b[0])).map(([pattern]) => pattern);
}

function sum(cells: readonly FleetCell[]): number {
  return cells.reduce((total, cell) => total + cell.machines, 0);
}

/**
 * Shades on which neither text colour reaches a contrast of 4.5 in the dark scheme (WCAG 2, worked out over the tokens
 * in oklab): such a share takes the lighter shade just below.
 */
const unreadable: Partial<Record<HeatTone, [from: number, to: number]>> = {
  "bad-fill": [75, 84],
  "stale-fill": [48, 54],
  "unk-fill": [58, 65],
};

/** Per cent of the tone's colour over the panel. Square root of the share, so that 1 % can be seen beside 50 %. */
export function shade(machines: number, reporting: number, tone: HeatTone = "off"): number {
  if (machines <= 0) return 0;
  const share = Math.min(1, machines / Math.max(reporting, machines));
  const percent = Math.round(10 + 85 * Math.sqrt(share));
  const band = unreadable[tone];
  return band && percent >= band[0] && percent <= band[1] ? band[0] - 1 : percent;
}

/** From these shades on, text in the panel's colour has more contrast than ink: [light scheme, dark scheme]. */
const turns: Record<HeatTone, [light: number, dark: number]> = {
  "bad-fill": [95, 85],
  off: [101, 101],
  "stale-fill": [101, 55],
  "unk-fill": [73, 66],
};

/** Text colour of a cell in both schemes. */
export function textOn(tone: HeatTone, percent: number): string {
  const deep = "var(--mantine-color-dark-9)";
  const [light, dark] = turns[tone];
  return `light-dark(${percent >= light ? "#FFF" : deep}, ${percent >= dark ? deep : "var(--ink)"})`;
}

/** The shares whose shades the key shows. */
export const keyShares = [0.01, 0.05, 0.2, 0.5] as const;
