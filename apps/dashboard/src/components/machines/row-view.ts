import {
  formatDuration,
  formatTime,
  middleCut,
  middleCutHost,
  safeHost,
  safeText,
  unknownText,
} from "@lynceus/protocol/present";
import type { MachineRow } from "@lynceus/protocol/read-api";
import { shortTitle } from "../overview/short-titles.ts";

/** A row of the machines table as it is shown. Everything a machine said is made safe here. */
export interface RowView {
  name: string;
  fullName: string;
  site: string;
  /** The pattern in a few words; `cause` says it whole. */
  finding: string;
  cause: string;
  since: string;
  sinceIso: string;
  route: string;
  fullRoute: string;
  verdict: string;
  script: string;
  winhttp: string;
  changed: string;
  changedIso: string;
  system: string;
  agent: string;
  seen: string;
  seenIso: string;
}

const osNames: Record<string, string> = { windows: "Win", macos: "macOS", linux: "Linux" };

export function systemText(os: string, version: string): string {
  const name = osNames[os];
  if (name === undefined) return version === "" ? unknownText : safeText(version);
  // Versions often begin with the system's own name: "Windows 11 24H2".
  const rest = version.replace(/^(microsoft\s+)?(windows|macos|mac os x|linux)\s*/i, "");
  return safeText(`${name} ${rest}`.trim());
}

/** Age in one unit, as narrow as a column of it: "40 s", "3 min", "5 h". */
export function shortAge(ms: number): string {
  return formatDuration(ms).split(" ").slice(0, 2).join(" ");
}

export function rowView(row: MachineRow, context: { now: number; zone: string }): RowView {
  const since = row.since === null ? null : Date.parse(row.since);
  const seen = row.lastSeenAt === null ? null : Date.parse(row.lastSeenAt);
  const route = row.route === null ? unknownText : row.route === "direct" ? "direct" : safeHost(row.route);
  const name = row.hostname === "" ? row.id : safeText(row.hostname);
  return {
    // The mark "simulated" takes its share of the column.
    name: middleCut(name, row.simulated ? 9 : 17),
    fullName: name,
    site: row.site === null ? "none" : safeText(row.site),
    finding: row.primary === null ? "" : shortTitle(row.primary.pattern),
    cause: row.primary === null ? "" : safeText(row.primary.cause),
    since: formatTime(since, context),
    sinceIso: row.since ?? "",
    route: middleCutHost(route, 22),
    fullRoute: route,
    verdict: row.verdictConfigured ?? unknownText,
    script: row.pacHash === null ? "none" : safeText(row.pacHash).slice(0, 6),
    winhttp:
      row.winhttp == null
        ? unknownText
        : row.winhttp === "direct"
          ? "direct"
          : middleCutHost(safeText(row.winhttp), 10),
    changed: row.changedAt ? formatTime(Date.parse(row.changedAt), context) : unknownText,
    changedIso: row.changedAt ?? "",
    system: row.os === "other" && row.osVersion === "" ? unknownText : systemText(row.os, row.osVersion),
    agent: row.agentVersion === "" ? unknownText : safeText(row.agentVersion),
    seen: seen === null ? "never" : shortAge(Math.max(0, context.now - seen)),
    seenIso: row.lastSeenAt ?? "",
  };
}
