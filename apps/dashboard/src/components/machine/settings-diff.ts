import type { EffectiveSettings, ProbeFacts, Route, SettingsFacts } from "@lynceus/protocol/facts";
import type { MachineFacts } from "@lynceus/protocol/state";

/** What changed on a machine before it began to fail (interface section 5, "Machine"). */

export interface DiffRow {
  label: string;
  before: string;
  after: string;
  changed: boolean;
}

export interface SettingsDiff {
  /** When the change was seen. */
  changedAt: number;
  rows: DiffRow[];
  /** Settings that stayed as they were, in words. */
  unchanged: string[];
}

const dayMs = 86_400_000;
/** Whose route is shown also where it stayed as it was: people ask for these. */
const mainServices: ReadonlySet<string> = new Set(["ews", "autodiscover"]);

export function routeText(route: Route | null): string {
  if (route === null || route.kind === "unknown") return "unknown";
  if (route.kind === "direct" || route.proxy === null) return "DIRECT";
  return `PROXY ${route.proxy.host}:${route.proxy.port}`;
}

/**
 * The last change of settings or script within the 24 h before `failedAt` (or before `now` on a machine that works),
 * as a table of before and after. Null when nothing changed then. `before` holds the probes of the configuration that
 * were in force before the change, where they are known.
 */
export function settingsDiff(input: {
  facts: MachineFacts;
  configuration: string;
  failedAt: number | null;
  now: number;
  previousProbes?: readonly ProbeFacts[];
}): SettingsDiff | null {
  const { facts, configuration, failedAt, now } = input;
  const end = failedAt ?? now;
  const settingsAt = facts.previousSettings && facts.settings ? facts.settings.since : null;
  const script = facts.pac[configuration] ?? null;
  const previousScript = facts.previousPac[configuration] ?? otherOf(facts.previousPac, script?.digest);
  const scriptAt = previousScript && script ? script.since : null;
  const times = [settingsAt, scriptAt].filter((at): at is number => at !== null && at <= end && at >= end - dayMs);
  if (times.length === 0) return null;
  const changedAt = Math.max(...times);
  const settingsMoved = settingsAt !== null && times.includes(settingsAt);
  const scriptMoved = scriptAt !== null && times.includes(scriptAt);

  const rows: DiffRow[] = [];
  const unchanged: string[] = [];
  const put = (label: string, before: string, after: string, keep = false) => {
    if (before !== after || keep) rows.push({ label, before, after, changed: before !== after });
    else unchanged.push(`${lower(label)} ${after}`);
  };

  if (script) {
    const was = scriptMoved && previousScript ? previousScript.facts : script.facts;
    put("Script, sha256", hashText(was.sha256), hashText(script.facts.sha256), scriptMoved);
  }
  let sameRoutes = 0;
  const probes = Object.values(facts.probes).filter(
    (slot) => slot.facts.configuration === configuration && slot.facts.via === "configured",
  );
  for (const previous of input.previousProbes ?? []) {
    const is = probes.find((slot) => slot.facts.target === previous.target);
    if (!is) continue;
    const host = previous.endpoint.host;
    const [was, now] = [routeText(previous.route), routeText(is.facts.route)];
    if (was !== now || mainServices.has(previous.endpoint.service)) put(`Route, ${host}`, was, now, true);
    else sameRoutes++;
    if (previous.zone !== is.facts.zone) put(`Zone, ${host}`, previous.zone, is.facts.zone);
  }
  if (sameRoutes > 0) unchanged.push(`${sameRoutes} other ${sameRoutes === 1 ? "route" : "routes"}`);
  const after = settingsOf(facts.settings?.facts ?? null, configuration);
  const before = settingsMoved ? settingsOf(facts.previousSettings?.facts ?? null, configuration) : after;
  if (after && before) {
    put("Script address", before.pacUrl ?? "none", after.pacUrl ?? "none");
    put("Auto-detect", onOff(before.autoDetect), onOff(after.autoDetect));
    put("Manual proxy", before.server ?? "none", after.server ?? "none");
    put("Bypass list", listText(before.bypass), listText(after.bypass));
    put("Source", before.source, after.source);
  }
  const isFacts = facts.settings?.facts ?? null;
  const wasFacts = settingsMoved ? (facts.previousSettings?.facts ?? null) : isFacts;
  if (isFacts?.winhttp64 || wasFacts?.winhttp64)
    put("WinHTTP 64 bit", winhttp(wasFacts?.winhttp64), winhttp(isFacts?.winhttp64));
  if (isFacts?.winhttp32 || wasFacts?.winhttp32)
    put("WinHTTP 32 bit", winhttp(wasFacts?.winhttp32), winhttp(isFacts?.winhttp32));
  return { changedAt, rows, unchanged };
}

/** The configuration's settings, or, where its id changed with them, the first that is probed. */
function settingsOf(facts: SettingsFacts | null, configuration: string): EffectiveSettings | null {
  const all = facts?.configurations ?? [];
  return (all.find((c) => c.id === configuration) ?? all.find((c) => c.probed) ?? all[0])?.settings ?? null;
}

function otherOf<T extends { digest: string }>(slots: Record<string, T>, digest: string | undefined): T | null {
  return Object.values(slots).find((slot) => slot.digest !== digest) ?? null;
}

export function winhttp(value: { flags: number; server: string } | null | undefined): string {
  if (value === null || value === undefined) return "unknown";
  return value.server === "" ? "direct" : value.server;
}

export function hashText(hash: string | null): string {
  return hash === null ? "none" : `${hash.slice(0, 6)}…`;
}

export function onOff(on: boolean): string {
  return on ? "on" : "off";
}

export function listText(list: string): string {
  return list === "" ? "empty" : list;
}

function lower(label: string): string {
  return /^[A-Z][a-z]+[ -]?[a-z]/.test(label) && !label.startsWith("WinHTTP")
    ? label.charAt(0).toLowerCase() + label.slice(1)
    : label;
}
