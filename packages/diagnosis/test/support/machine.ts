import type {
  Configuration,
  EffectiveSettings,
  Observation,
  PacFacts,
  ProbeFacts,
  Route,
  SettingsFacts,
  SystemFacts,
  WpadFacts,
} from "@lynceus/protocol/facts";
import type { Location, PatternId } from "@lynceus/protocol/names";
import type { Policy, Target } from "@lynceus/protocol/policy";
import type { Diagnosis, Finding, MachineState } from "@lynceus/protocol/state";
import { diagnose } from "../../src/diagnose.ts";
import { emptyFleet, type FleetContext } from "../../src/fleet.ts";
import { applyObservation, emptyState } from "../../src/state.ts";
import type { PromptReport } from "../../src/view.ts";
import {
  controlPage,
  direct,
  exchangeAnswer,
  policy as makePolicy,
  openPort,
  type Phases,
  probe,
  targetOf,
} from "./probes.ts";

/* A machine that observes one cycle after the other, on the present code of the whole way: fold, then diagnose. */

export const start = 1_790_000_000_000;
export const cycleMs = 15 * 60_000;

export const noProxy: EffectiveSettings = {
  autoDetect: false,
  pacUrl: null,
  server: null,
  bypass: "",
  source: "wininet-blob",
  dialect: "windows",
};

export const settingsWith = (
  configurations: (Partial<EffectiveSettings> & { id?: string; users?: number })[],
  over: Partial<SettingsFacts> = {},
): SettingsFacts => {
  const built = configurations.map(
    ({ id = "c1", users = 1, ...settings }): Configuration => ({
      id,
      users,
      probed: true,
      settings: { ...noProxy, ...settings },
    }),
  );
  return {
    users: built.flatMap(({ id, users }) =>
      Array.from({ length: users }, (_, index) => ({
        id: `user-${id}-${index}`,
        configuration: id,
        blob: null,
        legacy: null,
        mismatch: false,
      })),
    ),
    configurations: built,
    nobodySignedIn: false,
    winhttp64: null,
    winhttp32: null,
    policy: { ProxySettingsPerUser: null, gpoManaged: null, DisableWpad: null },
    sources: [],
    ...over,
  };
};

export const script = (over: Partial<PacFacts> = {}): PacFacts => ({
  configuration: "c1",
  origin: "pac",
  url: "http://pac.example.org/proxy.pac",
  scheme: "http",
  fetch: "ok",
  authSchemes: [],
  sha256: "9f3c1e00".repeat(8),
  bytes: 800,
  contentType: "application/x-ns-proxy-autoconfig",
  bodyIsHtml: false,
  evalOk: true,
  evalError: null,
  urlFormsDiffer: [],
  myIpAddress: "10.40.12.7",
  capitalHostLiterals: false,
  ms: 30,
  ...over,
});

export const nothingDetected: WpadFacts = {
  tried: true,
  dhcp252Url: null,
  dnsHost: null,
  addresses: [],
  fetch: "none",
};

/** What one cycle sees, by target id: the configured route, and the direct one. */
export interface Cycle {
  configured?: Record<string, Phases | null>;
  direct?: Record<string, Phases | null>;
  /** Route of all configured probes. */
  route?: Route;
  settings?: Parameters<typeof settingsWith>[0];
  /** What else the settings' facts say. */
  settingsFacts?: Partial<SettingsFacts>;
  /** What Windows tells of each user, as of all of them. */
  windows?: Partial<NonNullable<SettingsFacts["users"][number]["windows"]>>;
  system?: Partial<SystemFacts>;
  /** Zone of all configured probes. */
  zone?: ProbeFacts["zone"];
  /** Routes of single targets; the others go the cycle's way. */
  routes?: Record<string, Route>;
  /** Revocation servers by host. */
  revocation?: Record<string, Phases>;
  nobodySignedIn?: boolean;
  pac?: PacFacts;
  wpad?: WpadFacts;
  location?: Location;
  /** Per configuration, where several are in force; overrides `configured`. */
  perConfiguration?: Record<string, { configured: Record<string, Phases>; route?: Route }>;
}

export interface Options {
  policy?: Policy;
  fleet?: FleetContext;
  waive?: boolean;
  /** Minutes before the last judgement at which people reported prompts. */
  reportedMinutesAgo?: readonly number[];
  approved?: boolean;
}

let counter = 0;
/** A digest of its own for each different value. */
const digestOf = (value: unknown): string => {
  let hash = 0;
  for (const c of JSON.stringify(value)) hash = (Math.imul(hash, 31) + c.charCodeAt(0)) >>> 0;
  return hash.toString(16).padStart(8, "0");
};

export const windowsUser: NonNullable<SettingsFacts["users"][number]["windows"]> = {
  savedLegacy: null,
  connections: [],
  activeConnection: null,
  httpProxyControlFlags: null,
  zoneLogon: [null, null, null, null],
  trustModelData: null,
  allowAdalForNonLync: null,
  enableAdal: null,
};

export const systemOf = (over: Partial<SystemFacts> = {}): SystemFacts => ({
  os: "windows",
  osVersion: "10.0.22631",
  agentVersion: "0.1.0",
  hostname: "pc1",
  domainJoined: true,
  timeZone: "UTC",
  privateAddresses: ["10.40.12.7"],
  resolvers: [],
  dnsSuffixes: [],
  gatewayHash: null,
  vpnUp: null,
  locationBy: "rule",
  clockSkewMs: 0,
  lync: { installed: true, running: true, version: "16.0.1" },
  simulated: false,
  ...over,
});

type Body =
  | { kind: "system"; facts: SystemFacts }
  | { kind: "probe"; facts: ProbeFacts }
  | { kind: "settings"; facts: SettingsFacts }
  | { kind: "pac"; facts: PacFacts }
  | { kind: "wpad"; facts: WpadFacts };

const keyOf = (body: Body): string =>
  body.kind === "probe"
    ? `probe:${body.facts.configuration}:${body.facts.target}:${body.facts.via}`
    : body.kind === "pac"
      ? `pac:${body.facts.configuration}`
      : body.kind;

export const observation = (body: Body, at: number, location: Location = "inside"): Observation =>
  ({ ...body, seq: ++counter, at, ageMs: 0, location, key: keyOf(body), digest: digestOf(body.facts) }) as Observation;

/** What the healthy machine of the policy sees. */
export const healthyTargets = (): Record<string, Phases> => ({
  ews: exchangeAnswer(),
  "autodiscover-example.org": exchangeAnswer(),
  control: controlPage(),
  "control-https": openPort("13.107.4.52", 443),
});

const revocationTarget = (host: string): Target => ({
  id: `revocation-${host}`,
  service: "revocation",
  kind: "http",
  host,
  port: 80,
  path: "/",
  locations: ["inside", "vpn", "outside", "unknown"],
  accept: [],
  cadence: "sampled",
  expectedIssuers: [],
});

/** Folds one cycle. A target whose phases are null is not probed. */
export function observe(state: MachineState, cycle: Cycle, at: number, policy: Policy): MachineState {
  const { route = direct, location = "inside" } = cycle;
  const bodies: Body[] = [];
  if (cycle.system) bodies.push({ kind: "system", facts: systemOf(cycle.system) });
  if (cycle.settings) {
    const over = { nobodySignedIn: cycle.nobodySignedIn ?? false, ...cycle.settingsFacts };
    const facts = settingsWith(cycle.settings, over);
    const windows = cycle.windows && { ...windowsUser, ...cycle.windows };
    const users = windows ? facts.users.map((user) => ({ ...user, windows })) : facts.users;
    bodies.push({ kind: "settings", facts: { ...facts, users } });
  }
  if (cycle.pac) bodies.push({ kind: "pac", facts: cycle.pac });
  if (cycle.wpad) bodies.push({ kind: "wpad", facts: cycle.wpad });
  const add = (targets: Record<string, Phases | null>, over: Parameters<typeof probe>[2]) => {
    for (const [id, phases] of Object.entries(targets))
      if (phases) bodies.push({ kind: "probe", facts: probe(targetOf(id, policy), phases, over) });
  };
  const addConfigured = (targets: Record<string, Phases | null>) => {
    for (const [id, phases] of Object.entries(targets))
      add({ [id]: phases }, { route: cycle.routes?.[id] ?? route, ...(cycle.zone && { zone: cycle.zone }) });
  };
  for (const [host, phases] of Object.entries(cycle.revocation ?? {}))
    bodies.push({ kind: "probe", facts: probe(revocationTarget(host), phases, { route }) });
  add(cycle.direct ?? {}, { via: "direct", route: { ...direct, by: "forced" } });
  if (cycle.perConfiguration)
    for (const [configuration, part] of Object.entries(cycle.perConfiguration))
      add({ ...healthyTargets(), ...part.configured }, { configuration, route: part.route ?? direct });
  else addConfigured({ ...healthyTargets(), ...cycle.configured });
  return bodies.reduce(
    (folded, body) => applyObservation(folded, observation(body, at, location), { at, replayed: false }, policy).state,
    state,
  );
}

/** Runs cycle after cycle, a quarter of an hour apart, and gives the diagnosis after each. */
export function run(cycles: readonly Cycle[], options: Options = {}): { diagnoses: Diagnosis[]; state: MachineState } {
  const policy = options.policy ?? makePolicy();
  let state = emptyState();
  const diagnoses = cycles.map((cycle, index) => {
    const at = start + index * cycleMs;
    state = observe(state, { settings: [{}], ...cycle }, at, policy);
    const result = diagnose({
      facts: state.facts,
      persistence: state.persistence,
      policy,
      fleet: options.fleet ?? emptyFleet,
      now: at + 1000,
      newCycle: true,
      waivePersistence: options.waive ?? false,
      approved: options.approved ?? true,
      reports: (options.reportedMinutesAgo ?? []).map((minutes): PromptReport => ({ at: at - minutes * 60_000 })),
    });
    state = { ...state, ...result };
    return result.diagnosis;
  });
  return { diagnoses, state };
}

/** The diagnosis of a machine that sees the same twice, so that what holds is raised. */
export function diagnosisOf(cycle: Cycle, options: Options = {}): Diagnosis {
  const { diagnoses } = run([cycle, cycle], options);
  return diagnoses[1]!;
}

export const patternsOf = (diagnosis: Diagnosis): PatternId[] => diagnosis.findings.map(({ pattern }) => pattern);
export const primaryOf = (diagnosis: Diagnosis): Finding | undefined =>
  diagnosis.findings.find(({ primary }) => primary);
