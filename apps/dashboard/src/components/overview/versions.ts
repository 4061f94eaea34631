import type { AgentVersionCount } from "@lynceus/db/fleet-cells";
import { compareNatural } from "@lynceus/protocol/present";
import { term } from "../machines/links.ts";

/** Agents of one version, or of all versions that are not listed by themselves. */
export interface VersionRow {
  /** "1.4.2", "unknown", "3 other versions". */
  title: string;
  machines: number;
  /** Terms of the filter language that select exactly these machines. */
  query: string;
  /** There is a newer one. */
  old: boolean;
}

export interface Versions {
  rows: VersionRow[];
  /** What the others are older than. */
  newest: string;
  machines: number;
}

const mostListed = 6;
/** A version is called the newest when at least this share runs it: what one machine says of itself makes no fleet old. */
const newestShare = 0.01;
/** "1.5", "1.5.0": what is built of a release. Others, such as "1.6.0-rc1", make nothing old. */
const released = /^\d+(\.\d+){1,3}$/;

/**
 * Agents by version, the most frequent first. `installed`: of this installation, whose installers bring that version.
 */
export function versionsOf(counts: readonly AgentVersionCount[], installed: string): Versions {
  const machines = counts.reduce((sum, count) => sum + count.machines, 0);
  const newest = counts
    .filter((count) => count.version !== null && released.test(count.version))
    .filter((count) => count.machines >= machines * newestShare)
    .reduce((best, { version }) => (compareNatural(version ?? "", best) > 0 ? (version ?? best) : best), installed);
  const named = counts.filter((count) => count.version !== null);
  const listed = named.slice(0, named.length > mostListed ? mostListed - 1 : mostListed);
  const rows = listed.map(({ version, machines: some }): VersionRow => {
    const title = version ?? "";
    return { title, machines: some, query: term("agent", title), old: isOlder(title, newest) };
  });
  const others = named.slice(listed.length);
  if (others.length > 0)
    rows.push({
      title: `${others.length} other versions`,
      machines: others.reduce((sum, count) => sum + count.machines, 0),
      // "Not these" leaves out those that have not said.
      query: `-${term("agent", ...listed.map(({ version }) => version ?? ""))}`,
      old: others.every(({ version }) => isOlder(version ?? "", newest)),
    });
  const silent = counts.find((count) => count.version === null);
  if (silent) rows.push({ title: "unknown", machines: silent.machines, query: "agent:unknown", old: false });
  return { rows, newest, machines };
}

/** By the numbers it begins with: "1.4.2-rc1" is older than "1.5.0". What begins with none is not compared. */
function isOlder(version: string, newest: string): boolean {
  const numbers = /^\d+(\.\d+)*/.exec(version)?.[0];
  return numbers !== undefined && compareNatural(numbers, newest) < 0;
}
