import type { AlertSettings } from "@lynceus/protocol/alerting";
import { formatCount } from "@lynceus/protocol/present";
import { type Assignment, assign, type Group } from "./assign.ts";
import { createNamer, type GroupName, indexCauses } from "./group.ts";
import type { Muter } from "./mute.ts";
import { once } from "./once.ts";
import { type LifeReason, lifeReasons } from "./reasons.ts";
import { sizeOf } from "./size.ts";
import { isImportant, measure, nameGroup, type Spread, type SpreadContext } from "./spread.ts";
import type { EventKind, Incident, IncidentEvent, IncidentKind, Machine, OpenCause } from "./types.ts";
import { urgencyOf } from "./urgency.ts";

const minute = 60_000;
const hour = 60 * minute;
/** Names and openings that an incident remembers. */
const maxKeys = 32;
const maxOpenings = 12;

export interface ReconcileInput {
  readonly now: number;
  /** Every machine that fails or is part of a silent site, and the members of incidents that fell silent. */
  readonly machines: Iterable<Machine>;
  readonly causes: readonly OpenCause[];
  /** Open ones, those closed by hand that have members, those that ended within the time in which they may come back. */
  readonly incidents: readonly Incident[];
  /** Which incident a machine is in, per kind: it may fail, and be part of a silent site before that is noticed. */
  readonly members: Readonly<Record<IncidentKind, ReadonlyMap<string, number>>>;
  /** Reporting machines by `siteKey`. */
  readonly sites: ReadonlyMap<string, number>;
  readonly muters: readonly Muter[];
  readonly importantTags: readonly string[];
  readonly settings: AlertSettings;
  /** Of the next incident. */
  readonly nextNumber: number;
  readonly unexplainedAfter: number;
}

/** A machine that became or ceased to be a member. */
export interface MemberChange {
  readonly kind: IncidentKind;
  readonly machineId: string;
  readonly from: number | null;
  readonly to: number | null;
}

export interface Reconciled {
  /** Every incident given, and the new ones, in the order of their numbers. */
  readonly incidents: readonly Incident[];
  readonly members: readonly MemberChange[];
  readonly events: readonly IncidentEvent[];
  /** Of each incident that is open: what its members come to, and the failing ones. */
  readonly spreads: ReadonlyMap<number, Spread>;
  readonly failing: ReadonlyMap<number, readonly Machine[]>;
  /** Machines that fail and are in no incident, since too few share their cause. */
  readonly loose: number;
}

type Draft = { -readonly [Key in keyof Incident]: Incident[Key] };

const isOpen = ({ ended }: Pick<Incident, "ended">) => ended === null;

/** One kind of incidents: what fails, or what fell silent. They do not touch each other. */
class Turn {
  readonly drafts = new Map<number, Draft>();
  readonly changes: MemberChange[] = [];
  readonly events: IncidentEvent[] = [];
  readonly spreads = new Map<number, Spread>();
  readonly failing = new Map<number, Machine[]>();
  loose = 0;
  next: number;
  private readonly context: SpreadContext;

  constructor(
    private readonly kind: IncidentKind,
    private readonly input: ReconcileInput,
    nextNumber: number,
  ) {
    this.next = nextNumber;
    const { muters, sites } = input;
    this.context = { muters, sites, importantTags: new Set(input.importantTags) };
  }

  run(): void {
    const { input, kind } = this;
    const incidents = input.incidents.filter((incident) => incident.kind === kind);
    const members = input.members[kind];
    const occupied = new Set(members.values());
    const live = incidents.filter(
      (incident) => isOpen(incident) || (incident.ended?.how === "closed" && occupied.has(incident.number)),
    );
    const lively = new Set(live.map(({ number }) => number));
    const recent = incidents.filter(
      ({ number, ended }) =>
        ended !== null &&
        !lively.has(number) &&
        ended.how !== "merged" &&
        input.now - ended.at <= input.settings.reopenMinutes * minute,
    );
    for (const incident of incidents) this.drafts.set(incident.number, { ...incident });

    const { groups, stays } = this.group(members, lively);
    const failing = new Map<number, number>();
    for (const { from } of groups)
      for (const [number, count] of from) failing.set(number, (failing.get(number) ?? 0) + count);
    for (const machine of stays) {
      const number = members.get(machine.id) as number;
      if (machine.status === "failing") failing.set(number, (failing.get(number) ?? 0) + 1);
    }

    const assignment = assign({
      now: input.now,
      groups,
      live,
      recent,
      failing,
      openMachines: input.settings.openMachines,
      splitHoldMs: input.settings.splitHoldSeconds * 1000,
      nextNumber: this.next,
    });
    this.next += assignment.opened.length;
    this.open(assignment);
    this.move(assignment, groups, stays, members);
    for (const number of [...this.drafts.keys()].sort((a, b) => a - b)) this.live(number, assignment);
  }

  /** Machines by what they have in common, and members that say nothing at present. */
  private group(members: ReadonlyMap<string, number>, lively: ReadonlySet<number>) {
    const { input, kind } = this;
    const namer = createNamer({
      causes: indexCauses(input.causes),
      now: input.now,
      unexplainedAfter: input.unexplainedAfter,
    });
    const tags = this.context.importantTags;
    const groups = new Map<GroupName, Group>();
    const stays: Machine[] = [];
    for (const machine of input.machines) {
      const name =
        kind === "silent" ? namer.silent(machine) : machine.status === "failing" ? namer.failing(machine) : null;
      const member = members.get(machine.id);
      const isMember = member !== undefined && lively.has(member);
      if (!name) {
        if (isMember && kind === "failing" && machine.status !== "healthy") stays.push(machine);
        continue;
      }
      const group = once(groups, name, (): Group => ({ name, machines: [], from: new Map(), important: false }));
      group.machines.push(machine);
      if (isMember) group.from.set(member, (group.from.get(member) ?? 0) + 1);
      if (tags.size > 0) group.important ||= isImportant(machine, tags);
    }
    return { groups: [...groups.values()], stays };
  }

  /** New incidents, those that came back, and those that became one. */
  private open({ opened, merged, reopened, own }: Assignment): void {
    const { now } = this.input;
    for (const { number, group, splitFrom } of opened) {
      this.drafts.set(number, this.created(number, group, splitFrom));
      if (splitFrom === null) continue;
      const parent = this.drafts.get(splitFrom);
      if (parent) parent.keys = parent.keys.filter((key) => key !== group.name.key);
      this.say(
        splitFrom,
        "split",
        "fell-apart",
        `${formatCount(group.machines.length)} machines go on as incident ${number}`,
        {
          to: number,
        },
      );
    }
    for (const number of reopened) {
      const draft = this.drafts.get(number);
      if (!draft) continue;
      this.revive(draft);
      this.say(number, "reopened", "came-back", `Reopened: ${lifeReasons["came-back"]}`);
    }
    for (const [from, into] of merged) {
      const [gone, stays] = [this.drafts.get(from), this.drafts.get(into)];
      if (!gone || !stays) continue;
      gone.ended = { at: now, how: "merged", by: null, note: "", into };
      stays.keys = [...new Set([...stays.keys, ...gone.keys])].slice(0, maxKeys);
      stays.since = Math.min(stays.since, gone.since);
      const title = own.get(into)?.name.cause?.text ?? stays.title;
      this.say(from, "merged", "common-cause", `Goes on in incident ${into}: ${title}`, { into });
      this.say(into, "merged", "common-cause", `Incident ${from} joined: ${gone.title}`, { from });
    }
  }

  private created(number: number, group: Group, splitFrom: number | null): Draft {
    const { kind, input } = this;
    const [machine] = group.machines as [Machine];
    const late = kind === "failing" && group.machines.every((one) => one.late);
    return {
      number,
      kind,
      simulated: machine.simulated,
      location: machine.location,
      key: group.name.key,
      keys: [group.name.key],
      rank: group.name.rank,
      causeId: null,
      pattern: null,
      severity: "at-risk",
      confidence: "low",
      title: "",
      explanation: null,
      evidence: null,
      urgency: "low",
      openedAt: input.now,
      openedBecause:
        splitFrom !== null
          ? "fell-apart"
          : kind === "silent"
            ? "site-silent"
            : late
              ? "late"
              : group.machines.length >= input.settings.openMachines
                ? "enough-machines"
                : "important-machine",
      since: input.now,
      failing: 0,
      silent: 0,
      peak: 0,
      sites: [],
      quietSince: null,
      openings: [input.now],
      flappingSince: null,
      acknowledged: null,
      ended: null,
      splitFrom,
      apart: {},
      tellings: {},
      notices: 0,
      joinedSinceClose: 0,
      noted: { at: 0, failing: 0 },
    };
  }

  /** Puts every machine where its group goes on. */
  private move(
    { incidentOf, merged }: Assignment,
    groups: readonly Group[],
    stays: readonly Machine[],
    members: ReadonlyMap<string, number>,
  ): void {
    const { kind, changes } = this;
    let present = 0;
    const put = (machine: Machine, to: number | null) => {
      const from = members.get(machine.id) ?? null;
      if (from !== null) present++;
      if (from === to) return;
      changes.push({ kind, machineId: machine.id, from, to });
      const draft = to === null ? undefined : this.drafts.get(to);
      if (draft && !isOpen(draft)) draft.joinedSinceClose++;
    };
    for (const { name, machines } of groups) {
      const to = incidentOf.get(name.key) ?? null;
      for (const machine of machines) put(machine, to);
      if (to === null) this.loose += machines.length;
      else {
        const list = once(this.failing, to, (): Machine[] => []);
        for (const machine of machines) list.push(machine);
      }
    }
    const silent = new Map<number, number>();
    for (const machine of stays) {
      let at = members.get(machine.id) as number;
      for (let into = merged.get(at); into !== undefined; into = merged.get(at)) at = into;
      put(machine, at);
      if (machine.status === "failing") once(this.failing, at, (): Machine[] => []).push(machine);
      else silent.set(at, (silent.get(at) ?? 0) + 1);
    }
    for (const draft of this.drafts.values()) draft.silent = silent.get(draft.number) ?? 0;
    if (present === members.size) return;
    // Some members are well again, or gone.
    const seen = new Set<string>();
    for (const machine of stays) seen.add(machine.id);
    for (const { machines } of groups) for (const machine of machines) seen.add(machine.id);
    for (const [machineId, from] of members)
      if (!seen.has(machineId)) changes.push({ kind, machineId, from, to: null });
  }

  /** The life of one incident: what it is now, and whether it ends, comes back, comes and goes. */
  private live(number: number, { own, apart }: Assignment): void {
    const { input, kind } = this;
    const { now, settings } = input;
    const draft = this.drafts.get(number) as Draft;
    const machines = this.failing.get(number) ?? [];
    if (!isOpen(draft)) {
      draft.failing = draft.ended?.how === "closed" ? machines.length : 0;
      const enough = draft.joinedSinceClose >= settings.openMachines;
      if (draft.ended?.how !== "closed" || !enough) return;
      this.revive(draft);
      this.say(number, "reopened", "more-after-close", `Reopened: ${lifeReasons["more-after-close"]}`);
    }
    const isNew = draft.peak === 0;
    const spread = measure(draft, machines, this.context);
    this.spreads.set(number, spread);
    draft.apart = apart.get(number) ?? {};
    draft.failing = machines.length;
    draft.peak = Math.max(draft.peak, draft.failing + draft.silent);
    if (machines.length > 0) {
      this.name(draft, own.get(number), isNew);
      draft.since = Math.min(draft.since, spread.since);
      const sites = draft.sites;
      draft.sites = spread.sites;
      if (isNew)
        this.say(
          number,
          "opened",
          draft.openedBecause,
          `Opened with ${sizeOf(draft)}: ${lifeReasons[draft.openedBecause]}${draft.splitFrom === null ? "" : ` (part of incident ${draft.splitFrom} before)`}`,
          { machines: draft.failing, splitFrom: draft.splitFrom },
        );
      else this.severity(draft, spread.severity);
      draft.severity = kind === "silent" ? "at-risk" : spread.severity;
      this.note(draft, sites);
      const urgency = urgencyOf(draft, spread, input.sites, settings);
      // It does not fall before the incident ends: five machines that come and go would be news each time.
      if (draft.urgency === "low" && urgency === "high") {
        draft.urgency = "high";
        if (!isNew) this.say(number, "urgency", null, "Urgency is high from here on", { urgency: "high" });
      }
      if (draft.quietSince !== null) this.begin(draft);
    } else if (draft.quietSince === null) {
      draft.quietSince = now;
      this.say(
        number,
        "spread",
        null,
        `No member fails${draft.silent > 0 ? `; ${formatCount(draft.silent)} fell silent` : ""}`,
        {
          failing: 0,
          silent: draft.silent,
        },
      );
      draft.noted = { at: now, failing: 0 };
    }
    this.flap(draft);
    this.end(draft);
  }

  /** It fails anew. */
  private begin(draft: Draft): void {
    draft.quietSince = null;
    draft.openings = [...draft.openings, this.input.now].slice(-maxOpenings);
  }

  /** What was over is open again: whoever had it, and how loud it was, is over. */
  private revive(draft: Draft): void {
    draft.ended = null;
    draft.acknowledged = null;
    draft.joinedSinceClose = 0;
    draft.urgency = "low";
    this.begin(draft);
  }

  private name(draft: Draft, group: Group | undefined, isNew: boolean): void {
    const before = isNew ? null : { pattern: draft.pattern, title: draft.title, confidence: draft.confidence };
    const naming = nameGroup(this.kind, group?.machines ?? this.failing.get(draft.number) ?? [], before);
    if (naming) {
      if (before && (before.title !== naming.title || before.pattern !== naming.pattern)) {
        this.say(draft.number, "cause", null, `Now: ${naming.title}`, { pattern: naming.pattern });
        // What was evident of another cause is not evidence of this one.
        draft.evidence = null;
      }
      draft.pattern = naming.pattern;
      draft.title = naming.title;
      draft.confidence = naming.confidence;
    }
    if (!group) return;
    const { key, rank, cause } = group.name;
    if (key !== draft.key && !isNew && cause)
      this.say(draft.number, "cause", "same-cause", cause.text, { cause: cause.id });
    draft.key = key;
    draft.rank = rank;
    draft.causeId = cause?.id ?? null;
    draft.explanation = cause ? explanationOf(cause) : null;
    if (cause) draft.confidence = cause.confidence;
    if (draft.keys[0] !== key) draft.keys = [key, ...draft.keys.filter((one) => one !== key)].slice(0, maxKeys);
  }

  private severity(draft: Draft, severity: Incident["severity"]): void {
    if (draft.kind === "failing" && draft.severity !== severity)
      this.say(draft.number, "severity", null, `Severity: ${draft.severity} → ${severity}`, { severity });
  }

  /** Writes down how large it is: at once where it reaches another site, else at most once a minute. */
  private note(draft: Draft, before: Incident["sites"]): void {
    const { now } = this.input;
    const known = new Set(before.map(({ site }) => site));
    const isNew = draft.noted.at === 0;
    const reached = draft.sites.some(({ site }) => !known.has(site));
    if (!isNew && !reached && (draft.noted.failing === draft.failing || now - draft.noted.at < minute)) return;
    if (!isNew)
      this.say(draft.number, "spread", null, sizeOf(draft), {
        failing: draft.failing,
        silent: draft.silent,
        sites: draft.sites.length,
      });
    draft.noted = { at: now, failing: draft.failing };
  }

  private flap(draft: Draft): void {
    const { now, settings } = this.input;
    const lately = draft.openings.filter((at) => now - at < hour).length;
    if (draft.flappingSince === null) {
      if (lately < settings.flapOpenings) return;
      draft.flappingSince = now;
      this.say(draft.number, "flapping", "comes-and-goes", `Flapping: it came ${lately} times within an hour`, {
        openings: lately,
      });
      return;
    }
    const since = Math.max(draft.openings.at(-1) ?? 0, draft.quietSince ?? 0);
    if (now - since < settings.flapSteadyMinutes * minute) return;
    draft.flappingSince = null;
    draft.openings = draft.openings.slice(-1);
    this.say(draft.number, "steady", "steady", `No longer flapping: ${lifeReasons.steady}`);
  }

  private end(draft: Draft): void {
    const { now, settings } = this.input;
    if (draft.quietSince === null || draft.flappingSince !== null) return;
    const quiet = now - draft.quietSince;
    if (quiet < settings.resolveHoldMinutes * minute) return;
    // What fell silent was not seen well again: where that is most of it, nothing is known to be solved.
    const verified = 2 * draft.silent <= draft.peak;
    if (!verified && quiet < settings.unverifiedHours * hour) return;
    const how = verified ? "resolved" : "not-verified";
    const reason: LifeReason = verified ? "no-member-fails" : "not-verified";
    const unseen =
      draft.silent > 0 ? `; ${formatCount(draft.silent)} of its machines fell silent and are not verified` : "";
    draft.ended = { at: now, how, by: null, note: "", into: null };
    this.say(draft.number, "resolved", reason, `Resolved: ${lifeReasons[reason]}${unseen}`, { silent: draft.silent });
    this.spreads.delete(draft.number);
    // Nobody is a member of what is over. Only silent machines were left: of each the last word counts.
    const last = new Map(this.changes.map((change) => [change.machineId, change]));
    for (const [machineId, number] of this.input.members[this.kind]) {
      const moved = last.get(machineId);
      if (moved ? moved.to === draft.number : number === draft.number)
        last.set(machineId, { kind: this.kind, machineId, from: number, to: null });
    }
    this.changes.splice(0, this.changes.length, ...last.values());
    draft.silent = 0;
  }

  private say(
    incident: number,
    kind: EventKind,
    reason: LifeReason | null,
    text: string,
    detail: IncidentEvent["detail"] = {},
  ): void {
    this.events.push({ incident, at: this.input.now, kind, reason, text, detail });
  }
}

/** "Proxy px1 explains 347 of the 351 failing machines. 0 of 9,812 healthy share it. 4 do not fit." */
function explanationOf({ text, explains, of, healthyWith, healthyWithout }: OpenCause): string {
  const healthy = healthyWith + healthyWithout;
  const others = of - explains;
  const share = healthy > 0 ? ` ${formatCount(healthyWith)} of ${formatCount(healthy)} healthy share it.` : "";
  const rest = others > 0 ? ` ${formatCount(others)} ${others === 1 ? "does" : "do"} not fit.` : "";
  return `${text}.${share}${rest}`;
}

/**
 * What became of the incidents: which machines are in which, which opened, grew, became one, fell apart, ended. Pure, and
 * independent of the order of what it is given. Nobody is told anything here.
 */
export function reconcile(input: ReconcileInput): Reconciled {
  const failing = new Turn("failing", input, input.nextNumber);
  failing.run();
  const silent = new Turn("silent", input, failing.next);
  silent.run();
  const turns = [failing, silent];
  return {
    incidents: turns.flatMap(({ drafts }) => [...drafts.values()]).sort((a, b) => a.number - b.number),
    members: turns.flatMap(({ changes }) => changes),
    events: turns.flatMap(({ events }) => events),
    spreads: new Map(turns.flatMap(({ spreads }) => [...spreads])),
    failing: new Map(turns.flatMap((turn) => [...turn.failing])),
    loose: failing.loose,
  };
}
