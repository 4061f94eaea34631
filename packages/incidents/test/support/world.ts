import { type AlertingConfig, alertingConfigSchema } from "@lynceus/protocol/alerting";
import type { PatternId } from "@lynceus/protocol/names";
import { mutersAt } from "../../src/mute.ts";
import { type PlannedNotice, plan, type ReceiverUse } from "../../src/plan.ts";
import { reconcile } from "../../src/reconcile.ts";
import { isSettled } from "../../src/settled.ts";
import { siteKey } from "../../src/spread.ts";
import type { Acknowledgement, Incident, IncidentEvent, Machine, OpenCause, Silence } from "../../src/types.ts";

export const start = Date.UTC(2026, 10, 24, 1, 41);
export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;

/** A machine behind px1 that asks for a login, unless told otherwise. */
export function machine(id: string, change: Partial<Machine> = {}): Machine {
  const primary = change.primary === undefined ? login : change.primary;
  return {
    id,
    hostname: id.toUpperCase(),
    site: "Singapore",
    tags: [],
    location: "inside",
    simulated: false,
    os: "windows",
    agentVersion: "1.4.0",
    status: "failing",
    since: start,
    verdict: "proxy-auth-required",
    primary,
    patterns: primary ? [primary.pattern] : [],
    values: { proxy: "px1:8080", "pac-hash": "none", site: "Singapore" },
    targets: ["ews"],
    late: false,
    ...change,
  };
}

export const finding = (
  pattern: PatternId,
  cause: string,
  severity: "prompting" | "will-prompt" | "at-risk" = "prompting",
) => ({ pattern, cause, severity, confidence: "high" as const });

const login = finding("proxy-auth-required", "px1 asks for its own login");

/** Machines m0, m1, … */
export const machines = (count: number, change: Partial<Machine> = {}, prefix = "m"): Machine[] =>
  Array.from({ length: count }, (_, index) => machine(`${prefix}${index}`, change));

export const cause = (change: Partial<OpenCause> = {}): OpenCause => ({
  id: "11111111-1111-4111-8111-111111111111",
  simulated: false,
  location: "inside",
  key: "proxy",
  value: "px1:8080",
  confidence: "high",
  text: "Proxy px1:8080 explains 347 of the 351 failing machines",
  explains: 347,
  of: 351,
  healthyWith: 0,
  healthyWithout: 9812,
  ...change,
});

/** One route that tells the on-call receiver of everything. */
export const config = (change: Record<string, unknown> = {}): AlertingConfig =>
  alertingConfigSchema.parse({
    receivers: [
      { type: "ntfy", id: "pager", name: "Pager" },
      { type: "slack", id: "team", name: "Proxy team" },
      { type: "pagerduty", id: "pd", name: "PagerDuty" },
    ],
    routes: [{ id: "all", name: "Everything", receivers: ["pager"] }],
    ...change,
  });

/** What the collector does, on a clock that only the test moves: every two seconds one turn. */
export class World {
  now = start;
  machines = new Map<string, Machine>();
  causes: OpenCause[] = [];
  silences: Silence[] = [];
  incidents: readonly Incident[] = [];
  readonly members = { failing: new Map<string, number>(), silent: new Map<string, number>() };
  readonly notices: (PlannedNotice & { at: number })[] = [];
  readonly events: IncidentEvent[] = [];
  readonly use = new Map<string, ReceiverUse>();
  sites = new Map<string, number>([
    [siteKey({ simulated: false, location: "inside", site: "Singapore" }), 1642],
    [siteKey({ simulated: false, location: "inside", site: "Manila" }), 988],
  ]);
  unexplainedAfter = 30 * minute;
  loose = 0;
  /** In what order machines are given: it must not matter. */
  order: (list: Machine[]) => Machine[] = (list) => list;

  constructor(public config: AlertingConfig) {}

  put(...list: Machine[]): void {
    for (const one of list) this.machines.set(one.id, one);
  }

  /** They are well again. */
  heal(...ids: string[]): void {
    for (const id of ids.length > 0 ? ids : [...this.machines.keys()]) this.machines.delete(id);
  }

  change(ids: readonly string[], change: Partial<Machine>): void {
    for (const id of ids) {
      const one = this.machines.get(id);
      if (one) this.machines.set(id, { ...one, ...change });
    }
  }

  turn(): void {
    const { now, config } = this;
    const muters = mutersAt(this.silences, config.maintenance, now);
    const kept = this.incidents.filter((incident) => !isSettled(incident, config.settings, now));
    const gone = this.incidents.filter((incident) => !kept.includes(incident));
    const turn = reconcile({
      now,
      machines: this.order([...this.machines.values()]),
      causes: this.causes,
      incidents: kept,
      members: this.members,
      sites: this.sites,
      muters,
      importantTags: config.importantTags,
      settings: config.settings,
      nextNumber: this.incidents.length + 1,
      unexplainedAfter: this.unexplainedAfter,
    });
    for (const { kind, machineId, to } of turn.members)
      if (to === null) this.members[kind].delete(machineId);
      else this.members[kind].set(machineId, to);
    const told = plan({
      ...turn,
      now,
      config,
      muters,
      receivers: this.use,
      compose: { dashboardUrl: "https://lynceus.example.org", installation: "t", textsOf: () => null },
    });
    this.incidents = [...gone, ...told.incidents].sort((a, b) => a.number - b.number);
    this.loose = turn.loose;
    this.events.push(...turn.events, ...told.events);
    for (const notice of told.notices) {
      this.notices.push({ ...notice, at: now });
      const { sent = [], digestAt = null } = this.use.get(notice.receiver) ?? {};
      this.use.set(notice.receiver, { sent: [...sent, now], digestAt: notice.kind === "digest" ? now : digestAt });
    }
  }

  /**
   * Turns until so much time has passed; `each` may change the world before every turn. Where nothing changes for long,
   * turns are further apart.
   */
  advance(ms: number, each?: (now: number) => void): void {
    const began = this.now;
    for (const end = this.now + ms; this.now < end; ) {
      const step = each || this.now - began < minute ? 2 * second : 20 * second;
      this.now = Math.min(end, this.now + step);
      each?.(this.now);
      this.turn();
    }
  }

  incident(number: number): Incident {
    const found = this.incidents.find((one) => one.number === number);
    if (!found) throw new Error(`no incident ${number}; there are ${this.incidents.map((one) => one.number).join()}`);
    return found;
  }

  edit(number: number, change: Partial<Incident>): void {
    this.incidents = this.incidents.map((one) => (one.number === number ? { ...one, ...change } : one));
  }

  acknowledge(number: number, by: Partial<Acknowledgement> = {}): void {
    this.edit(number, { acknowledged: { by: "M. Huber", at: this.now, via: "dashboard", person: null, ...by } });
  }

  get open(): number[] {
    return this.incidents.filter(({ ended }) => ended === null).map(({ number }) => number);
  }

  membersOf(number: number): string[] {
    return [...this.members.failing]
      .filter(([, of]) => of === number)
      .map(([id]) => id)
      .sort();
  }

  /** `opened pager 1`, in order. */
  get told(): string[] {
    return this.notices.map(({ kind, receiver, incidents }) => `${kind} ${receiver} ${incidents.join("+")}`);
  }

  reasons(kind: "told" | "held"): string[] {
    return this.events.filter((event) => event.kind === kind).map(({ reason }) => reason ?? "");
  }
}
