import { isBad, isOk } from "@lynceus/diagnosis/verdicts";
import { configurationsOf, currentLocation, mayPassSilently } from "@lynceus/diagnosis/view";
import type { EffectiveSettings, ProxyAddress, Route } from "@lynceus/protocol/facts";
import type { Location, Verdict } from "@lynceus/protocol/names";
import type { Policy, Target } from "@lynceus/protocol/policy";
import { type CanaryEffect, type CanaryTarget, canaryEffects, type Proposal } from "@lynceus/protocol/read-api-tools";
import type { MachineFacts, ProbeSlot } from "@lynceus/protocol/state";
import { formatProxy } from "@lynceus/proxy-settings/host-port";

/*
 * What a proposal does to one machine: pure. The route that each target would take is given; what is known of that
 * route comes from a probe of it, from the machine's own history, or from its peers. What nobody saw stays unknown.
 */

/** Older facts say nothing of a route now. */
const freshMs = 86_400_000;
/** Targets of one machine that a run keeps. */
const maxTargets = 64;

export type Standing = "ok" | "bad" | "unknown";

/** Whether a verdict is good for a target. A 407 that signed-in users may pass silently is not known (5.0 rule 1). */
function standingOf(verdict: Verdict, target: Target, probe: ProbeSlot["facts"] | null): Standing {
  if (isOk(verdict, target)) return "ok";
  if (verdict === "proxy-auth-required" && (probe === null || mayPassSilently(probe))) return "unknown";
  return isBad(verdict, target) ? "bad" : "unknown";
}

/** One way, compared: `direct`, `px1.contoso.com:8080`, `socks5://…`; null where it is not known. */
export function wayOf(route: Pick<Route, "kind" | "proxy">): string | null {
  if (route.kind === "direct") return "direct";
  return route.kind === "proxy" && route.proxy ? formatProxy(route.proxy) : null;
}
export const wayOfProxy = (proxy: ProxyAddress | null): string => (proxy === null ? "direct" : formatProxy(proxy));

/** The route that a target would take under the proposal; `route` null: it cannot be told, and `notes` say why. */
export interface ProposedRoute {
  readonly route: { readonly kind: "direct" | "proxy"; readonly proxy: ProxyAddress | null } | null;
  readonly notes: readonly string[];
}

/** What peers see of a target on a way. */
export interface PeerView {
  readonly verdict: Verdict;
  readonly standing: Standing;
  readonly note: string;
}

export interface EvaluationInput {
  readonly facts: MachineFacts;
  readonly site: string | null;
  readonly policy: Policy;
  readonly now: number;
  readonly proposed: (configuration: string, target: Target) => ProposedRoute;
  readonly peers: (way: string, target: Target, location: Location, site: string | null) => PeerView | null;
  /** Verdicts of a real probe of the proposed routes, by target. */
  readonly probed?: ReadonlyMap<string, { readonly verdict: Verdict; readonly facts: ProbeSlot["facts"] }>;
}

export interface Evaluation {
  readonly effect: CanaryEffect;
  /** Those that are not `same`, required ones first. */
  readonly targets: CanaryTarget[];
  /** The route of each of them, by target, of the first configuration that changes it. */
  readonly routes: ReadonlyMap<string, ProxyAddress | null>;
}

/** Settings that a proposal puts in force on a machine; the dialect stays the machine's own. */
export const settingsOf = (proposal: Proposal, dialect: EffectiveSettings["dialect"]): EffectiveSettings => ({
  autoDetect: proposal.autoDetect,
  pacUrl: proposal.pac === null ? null : "proposed script",
  server: proposal.server?.trim() || null,
  bypass: proposal.server?.trim() ? proposal.bypass : "",
  source: "none",
  dialect,
});

/** Targets that a proposal is judged by at a location: a question to DNS takes no proxy. */
export const canaryTargets = (policy: Policy, location: Location): Target[] =>
  policy.targets.filter((target) => target.kind !== "srv" && target.locations.includes(location));

/** Worst first. */
const severity: readonly CanaryEffect[] = ["breaks", "cannot-tell", "stays-bad", "repairs", "moves", "same"];
const worst = (effects: readonly CanaryEffect[]): CanaryEffect =>
  severity.find((effect) => effects.includes(effect)) ?? "same";

function effectOf(changes: boolean, before: Standing, after: Standing): CanaryEffect {
  if (!changes) return "same";
  if (after === "unknown") return "cannot-tell";
  if (after === "ok") return before === "bad" ? "repairs" : "moves";
  return before === "bad" ? "stays-bad" : "breaks";
}

interface Judged {
  readonly target: Target;
  readonly changes: boolean;
  readonly before: Standing;
  readonly after: Standing;
  readonly shown: CanaryTarget;
  readonly proxy: ProxyAddress | null | undefined;
}

function judge(input: EvaluationInput, configuration: { id: string; users: number }, location: Location): Judged[] {
  const { facts, policy, now } = input;
  const slots = Object.values(facts.probes).filter((slot) => slot.location === location && now - slot.at <= freshMs);
  const newest = (matches: (slot: ProbeSlot) => boolean): ProbeSlot | null =>
    slots.filter(matches).reduce<ProbeSlot | null>((best, slot) => (best && best.at >= slot.at ? best : slot), null);
  return canaryTargets(policy, location).flatMap((target): Judged[] => {
    const own = (slot: ProbeSlot) => slot.facts.target === target.id && !slot.facts.fenced;
    const present = newest(
      (slot) => own(slot) && slot.facts.via === "configured" && slot.facts.configuration === configuration.id,
    );
    // Of a target that was not probed lately there is nothing to compare with.
    if (!present) return [];
    const { route, notes } = input.proposed(configuration.id, target);
    const presentWay = wayOf(present.facts.route);
    const way = route && wayOf(route);
    const before = standingOf(present.verdict, target, present.facts);
    // A route that is not known now may be the same one: nothing is claimed of it.
    const changes = way === null || presentWay === null || way !== presentWay;
    const known = ((): Pick<CanaryTarget["after"], "verdict" | "basis"> & { standing: Standing; note?: string } => {
      const nothing = { verdict: null, basis: "none", standing: "unknown" } as const;
      if (way === null) return nothing;
      const probed = changes ? input.probed?.get(target.id) : undefined;
      if (probed)
        return {
          verdict: probed.verdict,
          basis: "probed",
          standing: standingOf(probed.verdict, target, probed.facts),
        };
      const seen = changes ? newest((slot) => own(slot) && wayOf(slot.facts.route) === way) : present;
      if (seen)
        return {
          verdict: seen.verdict,
          basis: seen.facts.via === "direct" ? "own-direct" : "own-route",
          standing: standingOf(seen.verdict, target, seen.facts),
        };
      const peers = input.peers(way, target, location, input.site);
      return peers ? { ...peers, basis: "peers" } : nothing;
    })();
    const effect = effectOf(changes, before, known.standing);
    const judged = {
      target,
      changes,
      before,
      after: changes ? known.standing : before,
      proxy: route === null ? undefined : route.proxy,
      shown: {
        target: target.id,
        service: target.service,
        host: target.host,
        port: target.port,
        users: configuration.users,
        effect,
        before: { route: presentWay, verdict: present.verdict },
        after: {
          route: way,
          verdict: known.verdict,
          basis: known.basis,
          notes: [...notes, ...(known.note ? [known.note] : [])].slice(0, 4).map((note) => note.slice(0, 256)),
        },
      },
    };
    return [judged];
  });
}

/** A group counts as one: good while any member is (5.0 rule 8). */
function groupEffect(members: readonly Judged[]): CanaryEffect {
  const state = (of: "before" | "after"): Standing =>
    members.some((member) => member[of] === "ok")
      ? "ok"
      : members.some((member) => member[of] === "unknown")
        ? "unknown"
        : "bad";
  return effectOf(
    members.some(({ changes }) => changes),
    state("before"),
    state("after"),
  );
}

/** What the proposal does to a machine: the worst of its configurations, by its required groups first. */
export function evaluateMachine(input: EvaluationInput): Evaluation {
  const { facts, policy } = input;
  const location = currentLocation(facts, policy);
  const required = new Set(policy.groups.filter((group) => group.required).flatMap(({ anyOf }) => anyOf));
  const effects: { required: CanaryEffect[]; other: CanaryEffect[] } = { required: [], other: [] };
  const changed: Judged[] = [];
  let seen = false;
  for (const configuration of configurationsOf(facts)) {
    const judged = judge(input, configuration, location);
    seen ||= judged.length > 0;
    for (const group of policy.groups) {
      const members = judged.filter(({ target }) => group.anyOf.includes(target.id));
      if (members.length > 0) effects[group.required ? "required" : "other"].push(groupEffect(members));
    }
    changed.push(...judged.filter(({ shown }) => shown.effect !== "same"));
  }
  const byRequired = worst(effects.required);
  const rank = ({ target, shown }: Judged) =>
    (required.has(target.id) ? 0 : canaryEffects.length) + severity.indexOf(shown.effect);
  const ordered = changed.toSorted((a, b) => rank(a) - rank(b)).slice(0, maxTargets);
  const routes = new Map<string, ProxyAddress | null>();
  for (const { target, proxy } of ordered)
    if (proxy !== undefined && !routes.has(target.id)) routes.set(target.id, proxy);
  // Nothing was observed of it: nothing can be said.
  const effect = !seen ? "cannot-tell" : byRequired !== "same" ? byRequired : worst(effects.other);
  return { effect, targets: ordered.map(({ shown }) => shown), routes };
}

/** What peers see, from their facts: who goes that way now, at the same location and site before others. */
export function peerViews(peers: readonly { facts: MachineFacts; site: string | null }[], policy: Policy, now: number) {
  interface Tally {
    ok: number;
    bad: number;
    verdicts: Map<Verdict, number>;
  }
  const tallies = new Map<string, Tally>();
  const keyOf = (way: string, target: string, location: Location, site: string | null | undefined) =>
    JSON.stringify([way, target, location, site === undefined ? null : { site }]);
  const targets = new Map(policy.targets.map((target) => [target.id, target]));
  for (const { facts, site } of peers)
    for (const slot of Object.values(facts.probes)) {
      const target = targets.get(slot.facts.target);
      const way = wayOf(slot.facts.route);
      if (!target || way === null || slot.facts.fenced || now - slot.at > freshMs) continue;
      const standing = standingOf(slot.verdict, target, slot.facts);
      if (standing === "unknown") continue;
      for (const key of [keyOf(way, target.id, slot.location, site), keyOf(way, target.id, slot.location, undefined)]) {
        const tally = tallies.get(key) ?? { ok: 0, bad: 0, verdicts: new Map() };
        tally[standing]++;
        tally.verdicts.set(slot.verdict, (tally.verdicts.get(slot.verdict) ?? 0) + 1);
        tallies.set(key, tally);
      }
    }
  return (way: string, target: Target, location: Location, site: string | null): PeerView | null => {
    const here = tallies.get(keyOf(way, target.id, location, site));
    const tally = here ?? tallies.get(keyOf(way, target.id, location, undefined));
    if (!tally) return null;
    const all = tally.ok + tally.bad;
    const [verdict] = [...tally.verdicts].sort((a, b) => b[1] - a[1])[0] ?? [];
    if (!verdict) return null;
    const where = here ? (site === null ? "without a site" : `at ${site}`) : "at other sites";
    // Peers that contradict each other tell that something else decides.
    const standing = tally.ok >= 0.9 * all ? "ok" : tally.bad >= 0.9 * all ? "bad" : "unknown";
    return { verdict, standing, note: `${tally.ok} of ${all} machines ${where} get a good answer on this route` };
  };
}
