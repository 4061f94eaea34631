import { setImmediate as othersTurn } from "node:timers/promises";
import type { AlertingConfig } from "@lynceus/protocol/alerting";
import type { Location, PatternId, Severity } from "@lynceus/protocol/names";
import type { Urgency } from "@lynceus/protocol/notice";
import type { ComposeContext } from "./compose.ts";
import { mutersAt } from "./mute.ts";
import { type PlannedNotice, plan, type ReceiverUse } from "./plan.ts";
import { heldReasons } from "./reasons.ts";
import { reconcile } from "./reconcile.ts";
import type { Incident, IncidentEvent, Machine, Silence } from "./types.ts";

const second = 1000;
const minute = 60 * second;

/** "Who would be paged if …": so many machines begin to fail alike, and nobody acknowledges. */
export interface Supposed {
  readonly at: number;
  readonly pattern: PatternId;
  readonly severity: Severity;
  readonly cause: string;
  readonly machines: number;
  readonly site: string | null;
  readonly tags: readonly string[];
  readonly location: Location;
  readonly simulated: boolean;
  readonly target: string | null;
  readonly route: string | null;
  /** How long it lasts, and is looked at. */
  readonly minutes: number;
}

export interface Story {
  readonly urgency: Urgency;
  /** In order: what was decided, and who was told. */
  readonly events: readonly IncidentEvent[];
  readonly notices: readonly (PlannedNotice & { readonly at: number })[];
}

const nothingOpens = (at: number): IncidentEvent => ({
  incident: 0,
  at,
  kind: "held",
  reason: "at-risk",
  text: `Not told: ${heldReasons["at-risk"]}`,
  detail: {},
});

/** More of them change nothing but the figure in the message. */
const mostMachines = 2_000;

function machineOf(supposed: Supposed, index: number): Machine {
  const { pattern, severity, cause, site, tags, location, simulated, target, route, at } = supposed;
  const silent = pattern === "fleet-blind";
  return {
    id: `supposed-${index}`,
    hostname: `supposed-${index}`,
    site,
    tags,
    location,
    simulated,
    os: "windows",
    agentVersion: "",
    status: silent ? "stale" : "failing",
    since: at,
    verdict: null,
    primary: { pattern, severity, confidence: "high", cause },
    patterns: [pattern],
    values: route === null ? {} : { proxy: route === "direct" ? "none" : route },
    targets: target === null ? [] : [target],
    late: false,
  };
}

/**
 * Runs the same reconciliation and the same plan as the collector, on a clock of its own, beside nothing else that is
 * open. Nothing is sent. Hours of many machines take seconds of work: whoever waits for the same thread has a turn
 * between two moments.
 */
export async function simulate(
  supposed: Supposed,
  world: {
    readonly config: AlertingConfig;
    readonly silences: readonly Silence[];
    readonly sites: ReadonlyMap<string, number>;
    readonly compose: Omit<ComposeContext, "now">;
  },
): Promise<Story> {
  const { config, silences, sites } = world;
  const atRisk = supposed.severity === "at-risk" && supposed.pattern !== "fleet-blind";
  // No bad probe stands behind it (domain 5.0 rule 9): it makes no incident.
  if (atRisk) return { urgency: "low", events: [nothingOpens(supposed.at)], notices: [] };
  const machines = Array.from({ length: Math.min(supposed.machines, mostMachines) }, (_, index) =>
    machineOf(supposed, index),
  );
  const members = { failing: new Map<string, number>(), silent: new Map<string, number>() };
  const use = new Map<string, ReceiverUse>();
  const events: IncidentEvent[] = [];
  const notices: (PlannedNotice & { at: number })[] = [];
  let incidents: readonly Incident[] = [];
  const ends = supposed.at + supposed.minutes * minute;
  for (let now = supposed.at; now <= ends; now += now - supposed.at < minute ? second : minute) {
    const muters = mutersAt(silences, config.maintenance, now);
    const turn = reconcile({
      now,
      machines,
      causes: [],
      incidents,
      members,
      sites,
      muters,
      importantTags: config.importantTags,
      settings: config.settings,
      nextNumber: incidents.length + 1,
      unexplainedAfter: 0,
    });
    for (const { kind, machineId, to } of turn.members)
      if (to === null) members[kind].delete(machineId);
      else members[kind].set(machineId, to);
    const told = plan({ ...turn, now, config, muters, receivers: use, compose: world.compose });
    incidents = told.incidents;
    events.push(...turn.events, ...told.events);
    for (const notice of told.notices) {
      notices.push({ ...notice, at: now });
      const { sent = [], digestAt = null } = use.get(notice.receiver) ?? {};
      use.set(notice.receiver, { sent: [...sent, now], digestAt: notice.kind === "digest" ? now : digestAt });
    }
    await othersTurn();
  }
  return { urgency: incidents[0]?.urgency ?? "low", events, notices };
}
