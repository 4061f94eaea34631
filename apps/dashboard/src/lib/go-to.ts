import { listIncidents } from "@lynceus/db/incidents";
import { findMachines } from "@lynceus/db/machines";
import type { Fleet } from "@lynceus/db/scope";
import { toSqlText } from "@lynceus/db/sql-text";
import { patternTexts } from "@lynceus/diagnosis/texts";
import type { MachineStatus } from "@lynceus/protocol/names";
import { middleCut, safeText } from "@lynceus/protocol/present";
import type { Incident } from "@lynceus/protocol/read-api-incidents";

/** What the palette found; texts are ready to show. */
export interface GoToAnswer {
  machines: { id: string; hostname: string; status: MachineStatus; detail: string }[];
  incidents: (Pick<Incident, "number" | "kind" | "endedAt"> & { title: string })[];
  patterns: { id: string; title: string }[];
}

/** Shorter texts find nothing: they are in too many names. */
const leastLetters = 2;
/** Most that the palette shows. */
const most = { machines: 8, incidents: 4, patterns: 4 };
/** How many incidents are looked through, the newest first. */
const recentIncidents = 100;

/** Machines by their name, incidents by number or title, patterns by title or id. */
export async function goTo(fleet: Fleet, text: string): Promise<GoToAnswer> {
  const wanted = toSqlText(text.trim().slice(0, 100)).toLowerCase();
  if (wanted.length < leastLetters) return { machines: [], incidents: [], patterns: [] };
  const [machines, incidents] = await Promise.all([
    findMachines(fleet, wanted, most.machines),
    listIncidents(fleet, { limit: recentIncidents }),
  ]);
  return {
    machines: machines.map(({ id, hostname, status, site, primary }) => ({
      id,
      hostname: middleCut(safeText(hostname), 48),
      status,
      detail: [site, primary?.cause]
        .filter((part) => part != null)
        .map((part) => safeText(part))
        .join(" · "),
    })),
    incidents: incidents.items
      .filter(({ number, title }) => String(number).startsWith(wanted) || title.toLowerCase().includes(wanted))
      .slice(0, most.incidents)
      .map(({ number, kind, endedAt, title }) => ({ number, kind, endedAt, title: safeText(title) })),
    patterns: patternTexts
      .filter(({ id, title }) => id.includes(wanted) || title.toLowerCase().includes(wanted))
      .slice(0, most.patterns)
      .map(({ id, title }) => ({ id, title })),
  };
}
