import { type DataFrame, FieldType } from "@grafana/data";
import type { MachineRow } from "@lynceus/protocol/read-api";
import { rowLinks } from "../links";
import { type Column, tableFrame } from "./fields";

const words = (status: string): string => status.replaceAll("-", " ");

/** Machines as rows: what the dashboard's table shows by default. */
export function machinesFrame(refId: string, rows: readonly MachineRow[], base: string | null): DataFrame {
  const columns: Column<MachineRow>[] = [
    { name: "id", type: FieldType.string, of: (row) => row.id, hidden: true },
    { name: "state", title: "State", type: FieldType.string, of: (row) => words(row.status) },
    {
      name: "machine",
      title: "Machine",
      type: FieldType.string,
      of: (row) => row.hostname,
      links: rowLinks(base, "Open this machine", "machines", "id"),
    },
    { name: "site", title: "Site", type: FieldType.string, of: (row) => row.site },
    { name: "since", title: "Since", type: FieldType.time, of: (row) => row.since },
    { name: "cause", title: "Cause", type: FieldType.string, of: (row) => row.primary?.cause ?? null },
    { name: "pattern", title: "Primary finding", type: FieldType.string, of: (row) => row.primary?.pattern ?? null },
    { name: "severity", title: "Severity", type: FieldType.string, of: (row) => row.primary?.severity ?? null },
    { name: "route", title: "Configured route", type: FieldType.string, of: (row) => row.route },
    { name: "configured", title: "EWS, configured", type: FieldType.string, of: (row) => row.verdictConfigured },
    { name: "direct", title: "EWS, direct", type: FieldType.string, of: (row) => row.verdictDirect },
    { name: "system", title: "System", type: FieldType.string, of: (row) => row.os },
    { name: "agent", title: "Agent", type: FieldType.string, of: (row) => row.agentVersion },
    { name: "seen", title: "Seen", type: FieldType.time, of: (row) => row.lastSeenAt },
    { name: "tags", title: "Tags", type: FieldType.string, of: (row) => row.tags.join(", ") },
    { name: "simulated", title: "Simulated", type: FieldType.boolean, of: (row) => row.simulated },
  ];
  return tableFrame(refId, columns, rows);
}
