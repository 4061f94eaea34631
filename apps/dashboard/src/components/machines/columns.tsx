import { safeText } from "@lynceus/protocol/present";
import type { MachineRow } from "@lynceus/protocol/read-api";
import { columnVisibilityFeature, createColumnHelper, rowSelectionFeature, tableFeatures } from "@tanstack/react-table";
import Link from "next/link";
import { MiniChain } from "../evidence-chain/mini-chain.tsx";
import { Chip } from "../status/chip.tsx";
import { StatusLabel } from "../status/status-label.tsx";
import { machineHref } from "./links.ts";
import styles from "./machines.module.css";
import { type RowView, rowView } from "./row-view.ts";

export interface TableRow {
  row: MachineRow;
  view: RowView;
}

export const features = tableFeatures({ columnVisibilityFeature, rowSelectionFeature });

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
}

/** Every column the table can show, in order. */
export const columnInfo = {
  status: { title: "State", width: 95, field: "status", sort: "status", value: (r) => r.status },
  name: { title: "Machine", width: 162, field: "name", sort: "name", value: (r) => r.hostname },
  site: { title: "Site", width: 76, field: "site", value: (r) => r.site ?? "none", sort: "site" },
  primary: {
    title: "Primary finding",
    width: 142,
    field: "primary",
    value: (r) => r.primary?.pattern ?? "none",
    sort: "primary",
  },
  since: { title: "Since", width: 78, sort: "since" },
  route: { title: "Configured route", width: 156, field: "route", value: (r) => r.route ?? "unknown", sort: "route" },
  configured: { title: "Configured", width: 80 },
  direct: { title: "Direct", width: 80 },
  verdict: {
    title: "Verdict, configured",
    width: 146,
    field: "verdict",
    sort: "verdict",
    value: (r) => r.verdictConfigured ?? "unknown",
  },
  script: { title: "Script", width: 58, field: "pac", sort: "pac", value: (r) => r.pacHash?.slice(0, 12) ?? "none" },
  system: { title: "System", width: 96, field: "os", sort: "os", value: (r) => r.os },
  agent: { title: "Agent", width: 50, field: "agent", sort: "agent", value: (r) => r.agentVersion },
  seen: { title: "Seen", width: 56, sort: "seen", align: "right" },
  verdictDirect: {
    title: "Verdict, direct",
    width: 150,
    field: "direct",
    sort: "direct",
    value: (r) => r.verdictDirect ?? "unknown",
  },
  contributing: { title: "Other findings", width: 190, field: "pattern", value: (r) => r.patterns[1] ?? null },
  confidence: { title: "Confidence", width: 84, field: "confidence", value: (r) => r.primary?.confidence ?? "none" },
  location: { title: "Location", width: 76, sort: "location" },
  tags: { title: "Tags", width: 120, field: "tag", value: (r) => r.tags[0] ?? null },
} satisfies Record<string, ColumnInfo>;

export type ColumnId = keyof typeof columnInfo;
export const columnIds = Object.keys(columnInfo) as ColumnId[];
export const defaultColumns: ColumnId[] = columnIds.slice(0, 13);

export function infoOf(id: string): ColumnInfo {
  return columnInfo[id as ColumnId];
}

const helper = createColumnHelper<typeof features, TableRow>();
const text = (value: string, className?: string, title?: string) => (
  <span className={className} title={title}>
    <bdi>{value}</bdi>
  </span>
);

const cells: Record<ColumnId, (entry: TableRow) => React.ReactNode> = {
  status: ({ row }) => (
    <>
      <StatusLabel status={row.status} />
      {row.status === "healthy" && row.atRisk ? <span className="vh">, at risk</span> : null}
    </>
  ),
  name: ({ row, view }) => (
    <span className={styles.name}>
      <Link href={machineHref(row.id)} prefetch={false} title={view.fullName}>
        <bdi>{view.name}</bdi>
      </Link>
      {row.simulated ? <Chip>simulated</Chip> : null}
    </span>
  ),
  site: ({ view }) => text(view.site),
  primary: ({ view, row }) =>
    row.status === "healthy" && row.atRisk ? (
      <StatusLabel status="at-risk">{text(view.finding, undefined, view.cause)}</StatusLabel>
    ) : (
      text(view.finding, undefined, view.cause)
    ),
  since: ({ view }) => (
    <time dateTime={view.sinceIso} title={view.sinceIso}>
      {view.since}
    </time>
  ),
  route: ({ view }) => text(view.route, "mono", view.fullRoute),
  configured: ({ row }) => <MiniChain letters={row.chainConfigured} />,
  direct: ({ row }) => <MiniChain letters={row.chainDirect} />,
  verdict: ({ view }) => text(view.verdict, "mono"),
  script: ({ view, row }) => text(view.script, "mono", row.pacHash === null ? undefined : safeText(row.pacHash)),
  system: ({ view }) => text(view.system, undefined, view.system),
  agent: ({ view }) => text(view.agent, "mono dim"),
  seen: ({ view }) => (
    <time className="dim" dateTime={view.seenIso} title={view.seenIso}>
      {view.seen}
    </time>
  ),
  verdictDirect: ({ row }) => text(row.verdictDirect ?? "unknown", "mono"),
  contributing: ({ row }) => text(row.patterns.slice(1).join(", "), "mono dim"),
  confidence: ({ row }) => text(row.primary?.confidence ?? ""),
  location: ({ row }) => text(row.location),
  tags: ({ row }) => text(row.tags.map((tag) => safeText(tag)).join(", ")),
};

export const columns = helper.columns(
  columnIds.map((id) =>
    helper.display({ id, header: columnInfo[id].title, cell: (context) => cells[id](context.row.original) }),
  ),
);

export function toTableRow(row: MachineRow, context: { now: number; zone: string }): TableRow {
  return { row, view: rowView(row, context) };
}
