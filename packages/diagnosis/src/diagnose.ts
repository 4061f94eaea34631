import { type MachineStatus, type PatternId, type Severity, severities } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { Diagnosis, Finding, MachineFacts, Match, PersistenceMap } from "@lynceus/protocol/state";
import { catalogue, patternById } from "./catalogue.ts";
import { emptyFleet, type FleetContext } from "./fleet.ts";
import { hostOf, quote } from "./pattern.ts";
import { nextPersistence, type Persistence } from "./persistence.ts";
import { compareFindings } from "./precedence.ts";
import { verdictTexts } from "./verdicts.ts";
import {
  configurationsOf,
  currentLocation,
  isSilent,
  type Judgement,
  makeView,
  newestFact,
  type PromptReport,
  routeName,
  type View,
} from "./view.ts";

export interface DiagnoseInput {
  readonly facts: MachineFacts;
  readonly persistence: PersistenceMap;
  readonly policy: Policy;
  readonly fleet: FleetContext;
  /** The judge's clock, milliseconds. */
  readonly now: number;
  /** Whether a cycle ended since the last call: only then does anything count towards persistence. */
  readonly newCycle: boolean;
  /** The one-shot: what holds now is raised now. */
  readonly waivePersistence?: boolean;
  /** False: the machine takes no part in fleet findings (rule 17). */
  readonly approved?: boolean;
  /** Prompts that people of this machine reported; what is older than a day is ignored. */
  readonly reports?: readonly PromptReport[];
}

/** At most one primary and three contributing findings (domain 5.6). */
const shown = 4;

/** In the catalogue's order, so that a conclusion by exclusion comes last. */
const matchesNow = (view: View): Map<PatternId, Match> => {
  const found = new Map<PatternId, Match>();
  for (const pattern of catalogue) {
    const match = pattern.match(view);
    if (match && !(pattern.lastResort && found.size > 0)) found.set(pattern.id, match);
  }
  return found;
};

/** Whether a finding of the fleet says why EWS is bad here; one that only tells of a change replaces nothing. */
const fleetExplains = (found: ReadonlyMap<PatternId, Match>): boolean =>
  [...found].some(([id, { explains }]) => explains && patternById(id).scope === "fleet");

/**
 * What of the matches may be named. A portal or a dead resolver makes everything else on the machine unknowable; a
 * fleet finding replaces its members' own explanations.
 */
function suppress(found: ReadonlyMap<PatternId, Match>): Map<PatternId, Match> {
  const location = catalogue.find((pattern) => pattern.scope === "location" && found.has(pattern.id));
  const fleet = fleetExplains(found);
  return new Map(
    [...found].filter(([id, match]) =>
      location ? id === location.id : !fleet || !match.explains || patternById(id).scope === "fleet",
    ),
  );
}

interface Held {
  readonly pattern: PatternId;
  readonly configuration: string;
  readonly users: number;
  readonly current: boolean;
  readonly match: Match;
  readonly since: number;
}

const keyOf = (pattern: PatternId, configuration: string) => `${pattern}|${configuration}`;

function remember(
  input: DiagnoseInput,
  views: readonly View[],
  matches: readonly Map<PatternId, Match>[],
): { persistence: PersistenceMap; held: Held[] } {
  const { persistence: before, now, newCycle, waivePersistence = false } = input;
  const after: PersistenceMap = {};
  const held: Held[] = [];
  const keep = (key: string, entry: Persistence | null | undefined) => {
    if (entry) after[key] = entry;
  };
  const judged = new Set<string>();
  views.forEach((view, index) => {
    const found = matches[index] ?? new Map<PatternId, Match>();
    // While EWS comes and goes, what would explain either half neither opens nor closes.
    const frozen = found.has("ews-intermittent");
    const unheard = [...found.keys()].some((id) => patternById(id).ofSilence);
    for (const { id, ofSilence } of catalogue) {
      const key = keyOf(id, view.configuration);
      judged.add(key);
      const old = Object.hasOwn(before, key) ? before[key] : undefined;
      const match = found.get(id) ?? null;
      const explains = match?.explains ?? old?.last?.explains ?? false;
      if (ofSilence) keep(key, match && nextPersistence(old, match, now, true));
      else if (unheard) keep(key, old);
      else if (frozen && explains && id !== "ews-intermittent") keep(key, old);
      else if (newCycle) keep(key, nextPersistence(old, match, now, waivePersistence));
      else keep(key, old && match ? { ...old, last: match } : old);
      const entry = after[key];
      if (entry?.raised && entry.last)
        held.push({
          pattern: id,
          configuration: view.configuration,
          users: view.users,
          current: match !== null,
          match: entry.last,
          since: entry.since ?? now,
        });
    }
  });
  // Configurations that nobody has in force any more: their patterns no longer hold.
  for (const [key, old] of Object.entries(before)) {
    if (judged.has(key)) continue;
    keep(key, newCycle ? nextPersistence(old, null, now, false) : old);
  }
  return { persistence: after, held };
}

const worst = (a: Severity, b: Severity) => severities.indexOf(a) - severities.indexOf(b);

/** One finding a pattern, over the configurations on which it holds. */
function findingsOf(
  held: readonly Held[],
  allUsers: number,
  configurations: number,
): (Finding & { current: boolean })[] {
  const byPattern = new Map<PatternId, Held[]>();
  for (const item of held) byPattern.set(item.pattern, [...(byPattern.get(item.pattern) ?? []), item]);
  const merged = [...byPattern].map(([pattern, items]) => {
    const sorted = [...items].sort(
      (a, b) => Number(b.current) - Number(a.current) || worst(a.match.severity, b.match.severity) || b.users - a.users,
    );
    const first = sorted[0]!;
    const users = items.reduce((sum, item) => sum + item.users, 0);
    const partly = items.length < configurations && users > 0 ? ` Holds for ${users} of ${allUsers} users.` : "";
    return {
      pattern,
      severity: first.match.severity,
      confidence: first.match.confidence,
      primary: false,
      explains: items.some((item) => item.current && item.match.explains),
      configurations: items.map((item) => item.configuration),
      users,
      since: Math.min(...items.map((item) => item.since)),
      evidence: first.match.evidence,
      sentence: `${first.match.sentence}${partly}`.slice(0, 1024),
      cause: first.match.cause,
      current: first.current,
    };
  });
  const layerOf = (pattern: PatternId) => patternById(pattern).layer;
  return merged
    .sort((a, b) => compareFindings({ ...a, layer: layerOf(a.pattern) }, { ...b, layer: layerOf(b.pattern) }))
    .slice(0, shown)
    .map((finding, index) => ({ ...finding, primary: index === 0 }));
}

const ranks: Record<Judgement, number> = { bad: 0, unknown: 1, ok: 2 };

/** Groups that the location uses and that decide the status. */
const requiredGroups = (view: View) => view.groups.filter(({ group, members }) => group.required && members.length > 0);

function stateOf(view: View): Judgement {
  const states = requiredGroups(view).map(({ state }) => state);
  if (states.includes("bad")) return "bad";
  return states.length === 0 || states.includes("unknown") ? "unknown" : "ok";
}

/** Why a view cannot be judged, as half a sentence. */
function whyUnknown(view: View): string {
  const required = requiredGroups(view);
  if (required.length === 0)
    return view.policy.groups.some(({ required: isRequired }) => isRequired)
      ? `no required target is meant for a machine that is ${view.location}`
      : "the policy names no required target";
  const group = required.find(({ state }) => state === "unknown");
  const member = group?.members.find(({ state }) => state === "unknown");
  if (!group || !member?.why) return "the facts do not allow a verdict";
  return `${group.group.title} at ${quote(member.target.host)}: ${member.why}`;
}

function healthySentence(view: View): string {
  const slot = view.ews?.configured;
  if (!slot) return "No credential prompts expected: every required target answers on its configured route.";
  const server = slot.facts.http?.headers["x-feserver"];
  const route = routeName(slot.facts.route);
  const way = route === "direct" || route === null ? "directly" : `through ${quote(route)}`;
  const status = slot.facts.http?.status ?? null;
  const proof = status === null ? "" : ` (${status}${server ? ` from ${quote(server, 64)}` : ""})`;
  return `No credential prompts expected: Exchange answers ${way}${proof}.`;
}

/** A required group is bad, and nothing raised says why. */
function unexplainedSentence(view: View, found: ReadonlyMap<PatternId, Match>): string {
  const group = requiredGroups(view).find(({ state }) => state === "bad");
  const member = group?.members[0];
  const slot = member?.configured;
  const seen = slot
    ? `${group?.group.title} at ${hostOf(slot)}: ${verdictTexts[slot.verdict].toLowerCase()} (${slot.verdict})`
    : (group?.group.title ?? "a required target is bad");
  const candidate = [...found.values()].find(({ explains }) => explains);
  return candidate
    ? `Credential prompts expected if this lasts: ${candidate.cause}. Seen in too few cycles to raise a finding.`
    : `Credential prompts expected: ${seen}. No known pattern explains it.`;
}

const day = 24 * 60 * 60_000;

/**
 * Judges one machine: its status, the findings that explain it, and what of each pattern is remembered for the next
 * cycle. Pure and total: any facts of the schema give a diagnosis, and what was not seen is never called healthy.
 *
 * Status (design.md "Words", 5.0 rule 5): judged per effective configuration in use, the worst decides. It follows the
 * newest probes at once; findings wait for persistence (domain 5).
 */
export function diagnose(input: DiagnoseInput): { diagnosis: Diagnosis; persistence: PersistenceMap } {
  const { facts, policy, now } = input;
  const fleet = input.approved === false ? emptyFleet : input.fleet;
  const location = currentLocation(facts, policy);
  const configurations = configurationsOf(facts);
  const views = configurations.map((configuration) =>
    makeView({ facts, policy, fleet, now, location, configuration, reports: input.reports ?? [] }),
  );
  // Settings that were not read do not say which of several is in force: then only what all of them show is known.
  const openSettings = facts.settings === null && views.length > 1;
  const seen = views.map(matchesNow);
  const known = openSettings
    ? seen.map((found) => new Map([...found].filter(([id]) => seen.every((other) => other.has(id)))))
    : seen;
  const matches = known.map(suppress);
  const { persistence, held } = remember(input, views, matches);
  const visible = suppressHeld(held, matches);
  const allUsers = configurations.reduce((sum, { users }) => sum + users, 0);
  const ranked = findingsOf(visible, allUsers, views.length);

  const states = views.map(stateOf);
  const decisive = views[states.indexOf("bad")] ?? views[states.findIndex((state) => state !== "ok")];
  const undecided = views.length === 0 || (openSettings && new Set(states).size > 1);
  const judged: Judgement = undecided ? "unknown" : states.reduce((a, b) => (ranks[a] <= ranks[b] ? a : b));
  const { status, sentence } = statusOf({ input, judged, view: decisive ?? views[0] ?? null, views, matches, ranked });
  return {
    diagnosis: {
      status,
      atRisk: status === "healthy" && ranked.length > 0,
      sentence: sentence.slice(0, 1024),
      findings: ranked.map(({ current: _, ...finding }) => finding),
      groups: policy.groups.map((group) => ({
        id: group.id,
        required: group.required,
        state: views
          .map((view) => view.groups.find((seen) => seen.group.id === group.id)?.state ?? ("unknown" as const))
          .reduce<Judgement>((a, b) => (ranks[a] <= ranks[b] ? a : b), views.length === 0 ? "unknown" : "ok"),
      })),
    },
    persistence,
  };
}

/** What is raised from earlier cycles is hidden by the same rules as what holds now. */
function suppressHeld(held: readonly Held[], matches: readonly Map<PatternId, Match>[]): Held[] {
  const location = catalogue.filter(
    (pattern) => pattern.scope === "location" && matches.some((found) => found.has(pattern.id)),
  );
  if (location.length > 0) return held.filter((item) => location.some(({ id }) => id === item.pattern));
  if (!matches.some(fleetExplains)) return [...held];
  return held.filter((item) => !item.match.explains || patternById(item.pattern).scope === "fleet");
}

interface StatusInput {
  readonly input: DiagnoseInput;
  readonly judged: Judgement;
  readonly view: View | null;
  readonly views: readonly View[];
  readonly matches: readonly Map<PatternId, Match>[];
  readonly ranked: readonly (Finding & { current: boolean })[];
}

function statusOf({ input, judged, view, views, matches, ranked }: StatusInput): {
  status: MachineStatus;
  sentence: string;
} {
  const { facts, policy, now } = input;
  const newest = newestFact(facts);
  if (newest === 0 || !view) return { status: "cannot-tell", sentence: "Cannot tell: nothing was observed yet." };
  if (isSilent(newest, now, policy))
    return { status: "stale", sentence: "Stale: silent for more than three intervals; the facts are those last seen." };
  const settings = facts.settings;
  if (settings?.facts.nobodySignedIn && now - settings.since > day)
    return {
      status: "cannot-tell",
      sentence: "Cannot tell: nobody has been signed in for a day; the settings are those of the last user.",
    };
  const primary = ranked[0];
  if (judged === "bad") {
    const found = matches[views.indexOf(view)] ?? new Map<PatternId, Match>();
    const explained = ranked.find((finding) => finding.current && finding.explains);
    const about = explained ?? (view.ews?.state === "bad" ? undefined : ranked.find(({ current }) => current));
    return { status: "failing", sentence: about ? about.sentence : unexplainedSentence(view, found) };
  }
  if (judged === "unknown") {
    const about = primary?.current ? ` ${primary.sentence}` : "";
    return { status: "cannot-tell", sentence: `Cannot tell: ${whyUnknown(view)}.${about}` };
  }
  if (!primary) return { status: "healthy", sentence: healthySentence(view) };
  return {
    status: "healthy",
    sentence: primary.current
      ? primary.sentence
      : `${healthySentence(view)} Not cleared yet, held in a recent cycle: ${primary.cause}.`,
  };
}
