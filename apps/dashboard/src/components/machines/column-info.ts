import type { MachineRow } from "@lynceus/protocol/read-api";

interface ColumnInfo {
  title: string;
  width: number;
  /** Name of the server's sort, for columns that can be sorted by. */
  sort?: string;
  /** Field of the filter language that Alt-click adds. */
  field?: string;
  /** Its value for a row; null when there is none to ask for. */
  value?: (row: MachineRow) => string | null;
  align?: "right";
  /** The whole value, for exports; absent where `value` is that. */
  whole?: (row: MachineRow) => string | number | null;
}

/** Every column the table can show, in order. Shared by the browser, the server's export and saved views. */
export const columnInfo = {
  status: { title: "State", width: 97, field: "status", sort: "status", value: (r) => r.status },
  name: { title: "Machine", width: 146, field: "name", sort: "name", value: (r) => r.hostname },
  site: { title: "Site", width: 76, field: "site", value: (r) => r.site ?? "none", sort: "site" },
  primary: {
    title: "Primary finding",
    width: 128,
    field: "primary",
    value: (r) => r.primary?.pattern ?? "none",
    sort: "primary",
  },
  since: { title: "Since", width: 76, sort: "since", whole: (r) => r.since },
  route: { title: "Configured route", width: 156, field: "route", value: (r) => r.route ?? "unknown", sort: "route" },
  configured: { title: "Configured", width: 74, whole: (r) => r.chainConfigured },
  direct: { title: "Direct", width: 72, whole: (r) => r.chainDirect },
  verdict: {
    title: "Verdict, configured",
    width: 150,
    field: "verdict",
    sort: "verdict",
    value: (r) => r.verdictConfigured ?? "unknown",
  },
  script: {
    title: "Script",
    width: 54,
    field: "pac",
    sort: "pac",
    value: (r) => r.pacHash?.slice(0, 12) ?? "none",
    whole: (r) => r.pacHash ?? "none",
  },
  winhttp: { title: "WinHTTP", width: 68, field: "winhttp", value: (r) => r.winhttp ?? "unknown" },
  system: {
    title: "System",
    width: 96,
    field: "os",
    sort: "os",
    value: (r) => r.os,
    whole: (r) => `${r.os} ${r.osVersion}`.trim(),
  },
  agent: { title: "Agent", width: 48, field: "agent", sort: "agent", value: (r) => r.agentVersion },
  seen: { title: "Seen", width: 60, sort: "seen", align: "right", whole: (r) => r.lastSeenAt },
  zone: { title: "Zone", width: 70, field: "zone", value: (r) => r.zone ?? "unknown" },
  resolver: { title: "Resolver", width: 104, field: "resolver", value: (r) => r.resolver ?? "unknown" },
  server: { title: "Exchange server", width: 108, field: "server", value: (r) => r.server ?? "unknown" },
  issuer: { title: "TLS issuer", width: 150, field: "issuer", sort: "issuer", value: (r) => r.issuer ?? "unknown" },
  contributing: {
    title: "Other findings",
    width: 190,
    field: "pattern",
    value: (r) => r.patterns[1] ?? null,
    whole: (r) => r.patterns.slice(1).join(" "),
  },
  skew: { title: "Clock skew", width: 78, sort: "skew", align: "right", whole: (r) => r.clockSkewMs ?? null },
  ms: { title: "Time to answer", width: 102, sort: "ms", align: "right", whole: (r) => r.answerMs ?? null },
  tags: {
    title: "Tags",
    width: 120,
    field: "tag",
    value: (r) => r.tags[0] ?? null,
    whole: (r) => r.tags.join(" "),
  },
  verdictDirect: {
    title: "Verdict, direct",
    width: 146,
    field: "direct",
    sort: "direct",
    value: (r) => r.verdictDirect ?? "unknown",
  },
  confidence: { title: "Confidence", width: 84, field: "confidence", value: (r) => r.primary?.confidence ?? "none" },
  location: { title: "Location", width: 76, sort: "location", whole: (r) => r.location },
  by: { title: "Route chosen by", width: 108, field: "by", value: (r) => r.chosenBy ?? "unknown" },
  targets: {
    title: "Failing targets",
    width: 190,
    field: "target",
    value: (r) => r.failedTargets?.[0] ?? null,
    whole: (r) => r.failedTargets?.join(" ") ?? null,
  },
  changed: { title: "Settings changed", width: 108, whole: (r) => r.changedAt ?? null },
} satisfies Record<string, ColumnInfo>;

export type ColumnId = keyof typeof columnInfo;
export const columnIds = Object.keys(columnInfo) as ColumnId[];
/** Up to "Seen", as everybody has them first. */
export const defaultColumns: ColumnId[] = columnIds.slice(0, 14);

export function infoOf(id: string): ColumnInfo {
  return columnInfo[id as ColumnId];
}

/** A machine's whole value in a column, for exports: empty where it is not known. */
export function wholeValue(id: ColumnId, row: MachineRow): string {
  const info = infoOf(id);
  const value = info.whole ? info.whole(row) : info.value?.(row);
  return value === null || value === undefined ? "" : String(value);
}
