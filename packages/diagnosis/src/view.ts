import type {
  Configuration,
  PacFacts,
  ProbeFacts,
  Route,
  SettingsFacts,
  SystemFacts,
  UserSettings,
  WpadFacts,
} from "@lynceus/protocol/facts";
import type { Location, Service, Verdict } from "@lynceus/protocol/names";
import {
  type Expectations,
  expectationsOf,
  type Policy,
  type Target,
  type TargetGroup,
} from "@lynceus/protocol/policy";
import type { MachineFacts, ProbeSlot } from "@lynceus/protocol/state";
import { offeredSchemes, proxySchemes } from "./classify.ts";
import type { FleetContext } from "./fleet.ts";
import { isBad, isOk, networkVerdicts } from "./verdicts.ts";

/** Judged state of a target or a group on the configured route. */
export type Judgement = "ok" | "bad" | "unknown";

/** One target as one effective configuration of the machine sees it; only what is fresh and of this location. */
export interface Sighting {
  readonly target: Target;
  readonly configured: ProbeSlot | null;
  /** The direct probe, or the configured one where its route is direct. */
  readonly direct: ProbeSlot | null;
  readonly state: Judgement;
  /** Why the state is unknown, as half a sentence; null otherwise. */
  readonly why: string | null;
}

/** A person saw a prompt: the one thing that no probe can see. */
export interface PromptReport {
  /** When the prompt was seen, milliseconds. */
  readonly at: number;
}

export interface GroupSighting {
  readonly group: TargetGroup;
  readonly members: readonly Sighting[];
  readonly state: Judgement;
}

/** All that a pattern may look at: one machine with one effective configuration, at its present location. */
export interface View {
  readonly now: number;
  readonly policy: Policy;
  /** The policy's, with what older policies do not say filled in. */
  readonly expectations: Expectations;
  readonly location: Location;
  readonly configuration: string;
  /** Settings in force; null where they were not observed. */
  readonly settings: Configuration["settings"] | null;
  readonly settingsFacts: SettingsFacts | null;
  readonly system: SystemFacts | null;
  readonly pac: (PacFacts & { readonly at: number }) | null;
  readonly wpad: (WpadFacts & { readonly at: number }) | null;
  readonly users: number;
  /** Settings of the users who have this configuration in force. */
  readonly userSettings: readonly UserSettings[];
  readonly fleet: FleetContext;
  /** Prompts that people reported within the last day, oldest first. */
  readonly reports: readonly PromptReport[];
  /** Probes of the revocation servers that certificates name; targets that the agent made itself (rule 2). */
  readonly revocation: readonly ProbeSlot[];
  /** Targets that this location uses. */
  readonly sightings: readonly Sighting[];
  readonly groups: readonly GroupSighting[];
  /** The EWS target that stands for its group: the ok one, else the first bad one, else the first. */
  readonly ews: Sighting | null;
  /** Whether anything at all answered this machine lately: else its network may be dead. */
  readonly alive: boolean;
  /** Nothing was heard of the machine for more than three intervals. */
  readonly silent: boolean;
  /** When the settings were seen to be others than before; null where no change was seen. */
  readonly settingsChangedAt: number | null;
}

const minute = 60_000;
const day = 24 * 60 * minute;

/** Older than three intervals is stale, not bad (domain 6.2). */
const freshFor = (policy: Policy, target: Target): number =>
  target.cadence === "cycle" ? 3 * policy.intervals.cycleMinutes * minute : day;

/** The newest moment of which anything is known; 0 when nothing is. */
export function newestFact(facts: MachineFacts): number {
  const slots = [facts.system, facts.settings, facts.wpad, ...Object.values(facts.pac), ...Object.values(facts.probes)];
  return slots.reduce((newest, slot) => Math.max(newest, slot?.at ?? 0), 0);
}

/** Whether a machine whose newest fact is this old is stale (design.md "Words"). Never, where nothing was observed. */
export const isSilent = (newest: number, now: number, policy: Policy): boolean =>
  newest > 0 && now - newest > 3 * policy.intervals.cycleMinutes * minute;

/** Location of the newest probe of EWS, else of the newest probe, else of the newest facts. */
export function currentLocation(facts: MachineFacts, policy: Policy): Location {
  const ews = new Set(policy.targets.filter((target) => target.service === "ews").map((target) => target.id));
  const slots = Object.values(facts.probes);
  const newest = <T extends { at: number }>(list: readonly T[]): T | undefined =>
    list.reduce<T | undefined>((best, slot) => (best && best.at >= slot.at ? best : slot), undefined);
  const others = [facts.system, facts.settings].filter((slot) => slot !== null);
  const chosen =
    newest(slots.filter((slot) => slot.facts.via === "configured" && ews.has(slot.facts.target))) ??
    newest(slots) ??
    newest<{ at: number; location: Location }>(others);
  return chosen?.location ?? "unknown";
}

/** The configuration whose users count, or those that the probes name where settings were not observed. */
export function configurationsOf(facts: MachineFacts): { id: string; users: number; entry: Configuration | null }[] {
  const listed = facts.settings?.facts.configurations ?? [];
  const inUse = listed.some((entry) => entry.users > 0) ? listed.filter((entry) => entry.users > 0) : listed;
  if (inUse.length > 0) return inUse.map((entry) => ({ id: entry.id, users: entry.users, entry }));
  const probed = Object.values(facts.probes)
    .filter((slot) => slot.facts.via === "configured")
    .map((slot) => slot.facts.configuration);
  return [...new Set(probed)].map((id) => ({ id, users: 0, entry: null }));
}

interface Seen {
  readonly target: Target;
  readonly configured: ProbeSlot | null;
  readonly direct: ProbeSlot | null;
}

/** Whether an answer of any kind came back over the network. */
const answered = (slot: ProbeSlot | null): boolean => {
  if (!slot) return false;
  const { dns, tcp, route } = slot.facts;
  if (tcp?.ok || tcp?.error === "refused" || tcp?.error === "reset") return true;
  if (!dns || dns.rcode === "LITERAL" || route.kind === "unknown") return false;
  return dns.ok || dns.rcode === "NXDOMAIN" || dns.rcode === "NODATA";
};

/** The fallbacks of autodiscover: what is not Exchange there is simply not an endpoint (domain 3.1, AD-ERR). */
const fallbackServices: ReadonlySet<Service> = new Set(["apex", "autodiscover-srv"]);

export const isProxied = (slot: ProbeSlot | null): boolean => slot?.facts.route.kind === "proxy";
const isDirect = (slot: ProbeSlot | null): boolean => slot?.facts.route.kind === "direct";

/** Whether the 407 may pass every signed-in user silently (rule 1), or nothing is known about its schemes. */
export function mayPassSilently(probe: ProbeFacts): boolean {
  const schemes = proxySchemes(probe);
  return schemes.length === 0 || schemes.some((scheme) => ["negotiate", "ntlm", "kerberos"].includes(scheme));
}

/** Untrusted for no other reason than an intermediate certificate that Windows would fetch (rule 2). */
export const lacksIntermediateOnly = (slot: ProbeSlot): boolean =>
  slot.verdict === "tls-untrusted" && slot.facts.tls?.missingIntermediate === true;

/** Name of the script's or WPAD's server answer that leaves the user's route unknown (rule 1), or null. */
function loginOfScript(view: Pick<View, "pac" | "wpad" | "settings">, slot: ProbeSlot): string | null {
  if (slot.facts.route.by === "auto-detect" || slot.facts.route.by === "pac") return null;
  const asks = (fetch: string | undefined) => fetch === "http-401" || fetch === "http-407";
  // Settings that were not read name no script; that one was fetched shows it.
  const named = view.settings === null ? view.pac?.origin === "pac" : view.settings.pacUrl !== null;
  if (named && asks(view.pac?.fetch)) return "the proxy script's server";
  if (
    (view.settings === null ? view.pac?.origin === "auto-detect" : view.settings.autoDetect) &&
    (asks(view.wpad?.fetch) || (view.pac?.origin === "auto-detect" && asks(view.pac.fetch)))
  )
    return "the automatic configuration server";
  return null;
}

/** The judgement of one slot by itself, before any contrast. */
function judgeAlone(
  seen: Seen,
  view: Pick<View, "pac" | "wpad" | "settings">,
): { state: Judgement; why: string | null } {
  const { target, configured: slot } = seen;
  const unknown = (why: string) => ({ state: "unknown" as const, why });
  if (!slot) return unknown("it was not probed on the configured route lately");
  if (slot.facts.fenced) return unknown("the agent is not allowed to probe it");
  if (slot.facts.route.kind === "unknown") return unknown("the configured route is not known");
  const { by } = slot.facts.route;
  // What decided the route after a script is right only if the script really was of no use, which nobody has seen.
  if (/^https?:/i.test(view.settings?.pacUrl ?? "") && view.pac === null && by !== "pac" && by !== "auto-detect")
    return unknown("nothing is known of the proxy script that the settings name");
  const login = loginOfScript(view, slot);
  if (login && !target.service.endsWith("-srv"))
    return unknown(`${login} asks for a login, so the users' route is not known`);
  if (isOk(slot.verdict, target)) return { state: "ok", why: null };
  if (fallbackServices.has(target.service)) return { state: "bad", why: null };
  if (slot.verdict === "proxy-auth-required" && mayPassSilently(slot.facts))
    return unknown("its proxy asks for a login (407) that signed-in users may pass silently");
  if (lacksIntermediateOnly(slot))
    return unknown("the server does not send its intermediate certificate, which Windows completes by itself");
  if (slot.verdict === "iis-windows-auth") return unknown("a Windows web server answers without Exchange's marks");
  if (!isBad(slot.verdict, target)) return unknown("its answer proves nothing");
  return { state: "bad", why: null };
}

/**
 * Takes back a "bad" that the network alone may explain. A failure below the answer counts only beside something that
 * shows the network to be alive; outside, only where Exchange was seen to answer at all (rule 3).
 */
function withContrast(
  seen: Seen,
  alone: { state: Judgement; why: string | null },
  all: readonly { seen: Seen; state: Judgement }[],
  view: Pick<View, "location" | "policy" | "fleet" | "alive">,
): { state: Judgement; why: string | null } {
  const slot = seen.configured;
  if (alone.state !== "bad" || !slot) return alone;
  const unreachable = networkVerdicts.has(slot.verdict) || slot.verdict === "proxy-unreachable";
  if (!unreachable) return alone;
  if (view.location === "outside") {
    const provenHere = slot.ring.some((entry) => entry.location === "outside" && isOk(entry.verdict, seen.target));
    const peersHere = slot.verdict !== "proxy-unreachable" && view.fleet.location.ok > 0;
    if (!provenHere && !peersHere)
      return { state: "unknown", why: "the machine is outside, where it may be unreachable by design" };
  }
  if (slot.verdict === "proxy-unreachable")
    return view.alive ? alone : { state: "unknown", why: "nothing else answers either: the network may be down" };
  if (slot.facts.tcp?.error === "refused" || slot.facts.tcp?.error === "reset") return alone;
  // Peers that fail alike everywhere, or at the whole site, or a network that is closed by design, are no dead network.
  if (view.fleet.ewsDown) return alone;
  if (view.fleet.siteName !== null && view.fleet.shared.sites.has(view.fleet.siteName)) return alone;
  const closedByDesign = view.policy.expectations.requiresProxy || view.fleet.site.okThroughProxy > 0;
  if (closedByDesign && view.alive) return alone;
  const others = all.filter((other) => other.seen !== seen);
  // A record that was found shows that the resolver lives, and nothing of the ports.
  const namesOnly = (service: string) => service.endsWith("-srv");
  const shows = (service: string) => slot.verdict === "dns-fail" || !namesOnly(service);
  if (others.some((other) => other.state === "ok" && shows(other.seen.target.service))) return alone;
  // Something that answers wrongly is an answer as well: a portal, a wrong certificate.
  const controls = others.filter((other) => other.seen.target.service === "control" && other.seen.configured);
  if (controls.some(({ seen: control }) => !networkVerdicts.has(control.configured?.verdict ?? "dns-fail")))
    return alone;
  return {
    state: "unknown",
    why:
      controls.length > 0
        ? "the control target fails too"
        : "no control target tells a dead network from a dead server",
  };
}

const groupState = (members: readonly Sighting[]): Judgement =>
  members.some(({ state }) => state === "ok")
    ? "ok"
    : members.length === 0 || members.some(({ state }) => state === "unknown")
      ? "unknown"
      : "bad";

function representative(members: readonly Sighting[]): Sighting | null {
  const best = (state: Judgement) => members.find((member) => member.state === state);
  return best("ok") ?? best("bad") ?? members[0] ?? null;
}

interface ViewInput {
  readonly facts: MachineFacts;
  readonly policy: Policy;
  readonly fleet: FleetContext;
  readonly now: number;
  readonly location: Location;
  readonly configuration: { readonly id: string; readonly users: number; readonly entry: Configuration | null };
  readonly reports?: readonly PromptReport[];
}

/** What one effective configuration shows, judged. */
export function makeView(input: ViewInput): View {
  const { facts, policy, fleet, now, location, configuration } = input;
  const { id, users, entry } = configuration;
  const usable = (slot: ProbeSlot | undefined, target: Target): ProbeSlot | null =>
    slot && slot.location === location && now - slot.at <= freshFor(policy, target) ? slot : null;
  const own = (key: string) => (Object.hasOwn(facts.probes, key) ? facts.probes[key] : undefined);
  // The direct route is the same for every user: another configuration's probe serves as well.
  const anyDirect = new Map<string, ProbeSlot>();
  for (const slot of Object.values(facts.probes)) {
    if (slot.facts.via !== "direct") continue;
    const known = anyDirect.get(slot.facts.target);
    if (!known || known.at < slot.at) anyDirect.set(slot.facts.target, slot);
  }
  const within = <T extends { at: number; location: Location }>(slot: T | null | undefined): T | null =>
    slot && slot.location === location && now - slot.at <= day ? slot : null;
  const script = within(Object.hasOwn(facts.pac, id) ? facts.pac[id] : null);
  const detection = within(facts.wpad);
  const base = {
    settings: entry?.settings ?? null,
    pac: script && { ...script.facts, at: script.at },
    wpad: detection && { ...detection.facts, at: detection.at },
  };

  const seen = policy.targets
    .filter((target) => target.locations.includes(location))
    .map((target): Seen => {
      const configured = usable(own(`${id}:${target.id}:configured`), target);
      // An older direct probe may be left from the time when the route was a proxy.
      const direct = isDirect(configured)
        ? configured
        : (usable(own(`${id}:${target.id}:direct`), target) ?? usable(anyDirect.get(target.id), target));
      return { target, configured, direct };
    });
  const settingsFacts = within(facts.settings)?.facts ?? null;
  const revocation = Object.values(facts.probes).filter(
    (slot) =>
      slot.facts.endpoint.service === "revocation" &&
      slot.facts.configuration === id &&
      slot.facts.via === "configured" &&
      !slot.facts.fenced &&
      slot.location === location &&
      now - slot.at <= day,
  );
  revocation.sort((a, b) => (a.facts.target < b.facts.target ? -1 : 1));
  const alive = seen.some(({ configured, direct }) => answered(configured) || answered(direct));
  const alone = seen.map((one) => ({ seen: one, ...judgeAlone(one, base) }));
  const sightings = alone.map(
    ({ seen: one, state, why }): Sighting => ({
      ...one,
      ...withContrast(one, { state, why }, alone, { location, policy, fleet, alive }),
    }),
  );
  const byId = new Map(sightings.map((sighting) => [sighting.target.id, sighting]));
  const groups = policy.groups.map((group): GroupSighting => {
    const members = group.anyOf.flatMap((member) => byId.get(member) ?? []);
    return { group, members, state: groupState(members) };
  });
  const ewsGroup = groups.find(({ members }) => members.some(({ target }) => target.service === "ews"));
  const ewsTargets = (ewsGroup?.members ?? sightings).filter(({ target }) => target.service === "ews");
  return {
    now,
    policy,
    expectations: expectationsOf(policy),
    location,
    configuration: id,
    ...base,
    settingsFacts,
    system: facts.system?.facts ?? null,
    users,
    userSettings: settingsFacts?.users.filter((user) => user.configuration === id) ?? [],
    fleet,
    reports: (input.reports ?? []).filter(({ at }) => at <= now && now - at <= day).sort((a, b) => a.at - b.at),
    revocation,
    sightings,
    groups,
    ews: representative(ewsTargets),
    alive,
    silent: isSilent(newestFact(facts), now, policy),
    settingsChangedAt: facts.previousSettings ? (facts.settings?.since ?? null) : null,
  };
}

export const ofService = (view: View, ...services: Service[]): Sighting[] =>
  view.sightings.filter(({ target }) => services.includes(target.service));

/** EWS where it is judged bad on the configured route, else null: a name of it that was not judged may be good (rule 8). */
export const badEws = (view: View): (Sighting & { readonly configured: ProbeSlot }) | null => {
  const { ews, groups } = view;
  if (ews?.state !== "bad" || !ews.configured) return null;
  const open = groups.some(
    ({ state, members }) => state === "unknown" && members.some(({ target }) => target.id === ews.target.id),
  );
  return open ? null : { ...ews, configured: ews.configured };
};

/** Something is wrong now: EWS is bad, or people report prompts. Without it, settings are information (rule 9). */
export const hasSymptom = (view: View): boolean => view.ews?.state === "bad" || view.reports.length > 0;

/** `host:port` of the proxy, `direct`, or null when the route is not known. */
export function routeName(route: Route): string | null {
  if (route.kind === "direct") return "direct";
  return route.kind === "proxy" && route.proxy ? `${route.proxy.host}:${route.proxy.port}` : null;
}

export const verdictIs = (slot: ProbeSlot | null, ...verdicts: Verdict[]): boolean =>
  slot !== null && verdicts.includes(slot.verdict);

export const offersWindowsLogin = (probe: ProbeFacts): boolean =>
  offeredSchemes(probe).some((scheme) => scheme === "negotiate" || scheme === "ntlm");
