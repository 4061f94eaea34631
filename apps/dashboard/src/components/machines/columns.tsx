import { formatDuration, formatLatency, safeText, unknownText } from "@lynceus/protocol/present";
import type { MachineRow } from "@lynceus/protocol/read-api";
import { columnVisibilityFeature, createColumnHelper, rowSelectionFeature, tableFeatures } from "@tanstack/react-table";
import Link from "next/link";
import { MiniChain } from "../evidence-chain/mini-chain.tsx";
import { Chip } from "../status/chip.tsx";
import { StatusLabel } from "../status/status-label.tsx";
import { type ColumnId, columnIds, columnInfo } from "./column-info.ts";
import { machineHref } from "./links.ts";
import styles from "./machines.module.css";
import { type RowView, rowView } from "./row-view.ts";

export interface TableRow {
  row: MachineRow;
  view: RowView;
}

export const features = tableFeatures({ columnVisibilityFeature, rowSelectionFeature });

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
  winhttp: ({ view }) => text(view.winhttp, "mono dim", view.winhttp),
  zone: ({ row }) => text(row.zone ?? unknownText),
  resolver: ({ row }) => text(safeText(row.resolver ?? unknownText), "mono"),
  server: ({ row }) => text(safeText(row.server ?? unknownText), "mono"),
  issuer: ({ row }) => text(safeText(row.issuer ?? unknownText), undefined, safeText(row.issuer ?? "")),
  skew: ({ row }) => text(row.clockSkewMs == null ? unknownText : formatSkew(row.clockSkewMs)),
  ms: ({ row }) => text(formatLatency(row.answerMs ?? null)),
  by: ({ row }) => text(row.chosenBy ?? unknownText),
  targets: ({ row }) => {
    const failed = row.failedTargets?.map((target) => safeText(target)).join(", ") ?? unknownText;
    return text(failed, "mono dim", failed);
  },
  changed: ({ view }) => (
    <time dateTime={view.changedIso} title={view.changedIso}>
      {view.changed}
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

/** Plus where the machine's clock is behind the true time: as on its page. */
function formatSkew(ms: number): string {
  if (Math.abs(ms) < 500) return "0 s";
  return `${ms > 0 ? "+" : "−"}${formatDuration(Math.abs(ms))}`;
}

/** Rows as they are shown at a moment, each made once: the same machine is the same row, however often it is asked for. */
export function keptTableRows(context: { now: number; zone: string }): (row: MachineRow) => TableRow {
  const kept = new WeakMap<MachineRow, TableRow>();
  return (row) => {
    const known = kept.get(row);
    if (known !== undefined) return known;
    const made = { row, view: rowView(row, context) };
    kept.set(row, made);
    return made;
  };
}
