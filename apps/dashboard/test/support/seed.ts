import { createHash, randomUUID } from "node:crypto";
import { type CauseInput, saveAttributions } from "@lynceus/db/causes";
import { createToken, enrolMachine } from "@lynceus/db/enrollment";
import { commitBatch, type IngestBatch, type ObservationRow, type TransitionRow } from "@lynceus/db/ingest";
import { setSite } from "@lynceus/db/machines-admin";
import { ensurePartitions } from "@lynceus/db/partitions";
import { savePolicy } from "@lynceus/db/policies";
import type { Fleet } from "@lynceus/db/scope";
import { machineColumns } from "@lynceus/diagnosis/columns";
import { diagnose } from "@lynceus/diagnosis/diagnose";
import { emptyFleet, type FleetContext } from "@lynceus/diagnosis/fleet";
import { applyObservation, emptyState } from "@lynceus/diagnosis/state";
import type { Observation, Route, SystemFacts } from "@lynceus/protocol/facts";
import type { MachineStatus } from "@lynceus/protocol/names";
import type { Policy, Target } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import type { MachineState } from "@lynceus/protocol/state";
import {
  direct,
  domain,
  ewsHost,
  pacFacts,
  probeFacts,
  proxied,
  scripts,
  settingsFacts,
  systemFacts,
  type Way,
} from "./facts.ts";

/*
 * One story for the browser: at 62 minutes before `now` a new proxy script sends some machines to px1, which asks for a
 * login of its own; from 45 minutes before on they fail. Around it a few other faults, machines that are silent, and
 * machines that signed off. Facts go through diagnosis and commitBatch exactly as a collector would store them.
 */

const minute = 60_000;
const cycle = 15;
const scriptChangedAgo = 62;
const fault = 45;

/** What a machine of the story goes through; times are minutes before `now`. */
export interface Story {
  name: string;
  site: string;
  os?: SystemFacts["os"];
  osVersion?: string;
  agent?: { before: string; after: string; changedAgo: number };
  simulated?: boolean;
  /** The script before and after `scriptChangedAgo`; null: none. */
  script?: { before: string | null; after: string | null };
  /** How a target is reached on a route at a moment. */
  way: (target: Target, via: "configured" | "direct", ago: number) => Way;
  /** Last heard of, minutes ago. */
  seenAgo: number;
  end?: "stale" | "signed-off";
  configurations?: number;
  manual?: string;
  pacUrl?: string | null;
  /** What its agent says instead of what there is. */
  told?: (observation: Observation) => Observation;
}

const exchange = ["ews", "exchange-health", "autodiscover", "apex", "mapi", "oab"];
const isMail = (target: Target) => target.host === ewsHost;

const good =
  (over: Partial<Way> = {}): Story["way"] =>
  () => ({ route: direct(), ...over });

/** Sent to px1 since the new script; px1 wants a login from `fault` minutes ago on. */
export const behindPx1 =
  (since = fault): Story["way"] =>
  (target, via, ago) => {
    if (via === "direct" || !isMail(target) || ago > scriptChangedAgo) return { route: direct() };
    return { route: proxied("px1.contoso.com"), ...(ago <= since ? { connect: 407 as const } : {}) };
  };

function fleetStories(): Story[] {
  const stories: Story[] = [];
  const newScript = { before: scripts.old, after: scripts.new };
  const oldScript = { before: scripts.old, after: scripts.old };
  const add = (site: string, prefix: string, count: number, story: (i: number) => Partial<Story>) => {
    for (let i = 0; i < count; i++) {
      stories.push({
        name: `${prefix}-${String(4401 + i * 17)}`,
        site,
        script: oldScript,
        way: good(),
        seenAgo: (i % 9) + 0.5,
        ...story(i),
      });
    }
  };
  add("Singapore", "SIN-LT", 7, (i) => ({
    script: newScript,
    way: behindPx1(45 - i),
    agent: { before: "1.4.2", after: "1.5.0", changedAgo: 76 },
  }));
  add("Singapore", "SIN-WS", 5, () => ({ script: newScript }));
  add("Manila", "MNL-WS", 4, (i) => ({ script: newScript, way: behindPx1(31 - i), osVersion: "Windows 10 22H2" }));
  add("Manila", "MNL-LT", 3, () => ({}));
  add("Perth", "PER-LT", 2, (i) => ({ script: newScript, way: behindPx1(38 - i) }));
  add("Perth", "PER-WS", 2, () => ({}));
  add("Sydney", "SYD-LT", 6, (i) => (i === 0 ? { way: good({ httpMs: 2600 }) } : {}));
  add("Tokyo", "TYO-LT", 3, () => ({}));
  add("Tokyo", "TYO-WS", 2, () => ({
    way: (_t, _v, ago) => (ago <= 40 ? { route: direct(), dns: "timeout" } : { route: direct() }),
  }));
  add("Bengaluru", "BLR-WS", 6, () => ({}));
  add("Zürich", "ZRH-LT", 2, () => ({
    script: { before: scripts.zurich, after: scripts.zurich },
    way: (target) => ({
      route: direct(),
      ...(exchange.includes(target.service) ? { intercepted: "ESET SSL Filter CA" } : {}),
    }),
  }));
  add("Zürich", "ZRH-WS", 1, () => ({}));
  add("Kraków", "KRK-LT", 5, (i) => (i < 3 ? { seenAgo: 85, end: "stale" as const } : {}));
  add("Vienna", "VIE-LT", 4, () => ({
    script: { before: null, after: null },
    pacUrl: null,
    manual: "px2.contoso.com:8080",
    way: (_t, via) =>
      via === "direct"
        ? { route: direct("none"), tcp: "timeout" as const }
        : { route: proxied("px2.contoso.com", 8080, "manual") },
  }));
  add("Chicago", "CHI-WS", 3, (i) =>
    i === 0
      ? {
          script: { before: null, after: null },
          pacUrl: null,
          manual: "proxy-old.contoso.com:3128",
          way: (target: Target, via) =>
            via === "direct" || !exchange.includes(target.service)
              ? { route: direct("none") }
              : { route: proxied("proxy-old.contoso.com", 3128, "manual"), dns: "fail" as const },
        }
      : {},
  );
  add("São Paulo", "GRU-LT", 2, (i) =>
    i === 0 ? { way: (_t, _v, ago) => (ago <= 120 ? { route: direct(), dns: "timeout" } : { route: direct() }) } : {},
  );
  add("Graz", "GRZ-LT", 3, (i) => ({ seenAgo: 200 + i * 30, end: "signed-off" as const }));
  add("Austin", "AUS-MB", 2, () => ({ os: "macos", osVersion: "macOS 15.4" }));
  add("Singapore", "demo", 2, () => ({ simulated: true, os: "linux", osVersion: "Debian 13" }));
  stories.push({
    name: "<b>KIOSK\u202E01",
    site: "Singapore",
    osVersion: "",
    os: "other",
    script: newScript,
    way: behindPx1(28),
    seenAgo: 5,
    agent: { before: "1.3.9", after: "1.3.9", changedAgo: 0 },
  });
  stories.push({ name: "MNL-FRONTDESK-3-EAST-02", site: "Manila", script: newScript, way: behindPx1(33), seenAgo: 6 });
  stories.push({
    name: "SIN-VDI-2003",
    site: "Singapore",
    script: newScript,
    way: behindPx1(26),
    seenAgo: 0.2,
    configurations: 2,
  });
  return stories;
}

const digestOf = (facts: unknown, volatile: RegExp) =>
  createHash("sha256")
    .update(JSON.stringify(facts, (key, value) => (volatile.test(key) ? undefined : value)))
    .digest("hex")
    .slice(0, 16);

export interface SeededFleet {
  policy: Policy;
  /** Machine ids by name. */
  ids: Map<string, string>;
  /** What those behind px1 share. */
  causeId: string;
}

/** Fills an empty, migrated database with the story, and with `more` machines. `now` is the end of the story. */
export async function seedFleet(db: Fleet, now = new Date(), more: readonly Story[] = []): Promise<SeededFleet> {
  await ensurePartitions(db, now);
  const policy = (
    await savePolicy(db, {
      body: buildPolicy({ ews: [ewsHost], smtpDomains: [domain], sipDomains: [domain] }, 1),
      now,
      createdBy: "seed",
    })
  ).body;
  const { secret } = await createToken(db, {
    maxUses: 1000,
    expiresAt: new Date(now.getTime() + 86_400_000),
    createdBy: "seed",
  });
  const batch = {
    now,
    collectorId: randomUUID(),
    observations: [] as ObservationRow[],
    machines: [] as IngestBatch["machines"][number][],
    findings: [] as IngestBatch["findings"][number][],
    transitions: [] as TransitionRow[],
    quarantine: [],
  } satisfies IngestBatch;
  const ids = new Map<string, string>();
  const sites = new Map<string, string[]>();
  for (const [index, story] of [...fleetStories(), ...more].entries()) {
    const enrolled = await enrolMachine(db, {
      secret,
      now: new Date(now.getTime() - 20 * 86_400_000),
      publicKey: Uint8Array.from(createHash("sha512").update(story.name).digest().subarray(0, 44)),
      hostname: story.name,
      os: story.os ?? "windows",
      agentVersion: "1.4.2",
      simulated: story.simulated ?? false,
      state: emptyState(),
    });
    if (!enrolled.ok) throw new Error(`"${story.name}" was not enrolled: ${enrolled.reason}`);
    ids.set(story.name, enrolled.machineId);
    sites.set(story.site, [...(sites.get(story.site) ?? []), enrolled.machineId]);
    live(story, enrolled.machineId, index, policy, now, batch);
  }
  const { conflicts } = await commitBatch(db, batch);
  if (conflicts.length > 0) throw new Error(`${conflicts.length} seeded machines were refused as conflicts`);
  // The first status of a machine begins when it is enrolled; in the story it was well before.
  for (const machine of batch.machines) {
    const { statusSince } = machine.columns;
    if (statusSince instanceof Date) {
      await db.prisma.machine.update({ where: { id: machine.machineId }, data: { statusSince } });
    }
  }
  for (const [site, machines] of sites) await setSite(db, machines, site, { actor: "seed", now });
  await db.prisma.machine.updateMany({
    where: { id: { in: [...ids.values()] }, status: { notIn: ["stale", "signed-off"] } },
    data: { connectedTo: "seed" },
  });
  await seedTrend(db, now);
  await seedChanges(db, batch.transitions, ids);
  const causeId = await seedCause(db, now);
  return { policy, ids, causeId };
}

/** The same change on many machines as one event, as a collector joins them. */
async function seedChanges(db: Fleet, transitions: readonly TransitionRow[], ids: Map<string, string>) {
  const demo = new Set([...ids].filter(([name]) => name.startsWith("demo")).map(([, id]) => id));
  const events = new Map<string, TransitionRow[]>();
  for (const row of transitions) {
    if (row.changeKey === null || !["settings", "script", "agent"].includes(row.kind) || demo.has(row.machineId))
      continue;
    events.set(row.changeKey, [...(events.get(row.changeKey) ?? []), row]);
  }
  for (const [changeKey, rows] of events) {
    const times = rows.map((row) => row.at.getTime());
    const [first] = rows;
    if (first === undefined) continue;
    const takers = [...new Map(rows.map((row) => [row.machineId, row.at]))];
    await db.prisma.fleetChange.create({
      data: {
        id: randomUUID(),
        changeKey,
        simulated: false,
        kind: first.kind,
        text: first.text,
        detail: first.detail,
        firstAt: new Date(Math.min(...times)),
        lastAt: new Date(Math.max(...times)),
        machines: takers.length,
        takers: { create: takers.map(([machineId, at]) => ({ machineId, at })) },
      },
    });
  }
}

/** What those behind px1 share, as attribution would say it. */
async function seedCause(db: Fleet, now: Date): Promise<string> {
  const rows = await db.prisma.machine.findMany({
    where: { simulated: false, status: { in: ["failing", "healthy"] } },
    select: { id: true, status: true, statusSince: true, primaryCause: true, pacHash: true, site: true },
    orderBy: { hostname: "asc" },
  });
  const change = await db.prisma.fleetChange.findFirst({ where: { kind: "script" }, orderBy: { machines: "desc" } });
  const failing = rows.filter((row) => row.status === "failing");
  const healthy = rows.filter((row) => row.status === "healthy");
  const compare = (key: CauseInput["key"], value: string, has: (row: (typeof rows)[number]) => boolean | null) => {
    const count = (of: typeof rows, wanted: boolean | null) => of.filter((row) => has(row) === wanted).length;
    return {
      key,
      value,
      failingWith: count(failing, true),
      failingWithout: count(failing, false),
      failingUnknown: count(failing, null),
      healthyWith: count(healthy, true),
      healthyWithout: count(healthy, false),
      healthyUnknown: count(healthy, null),
      logP: -18,
    };
  };
  const isNew = (row: (typeof rows)[number]) => row.pacHash === scripts.new;
  const members = failing.filter(isNew);
  const named = compare("pac-hash", scripts.new, isNew);
  const { key, value, ...counts } = named;
  const { named: made } = await saveAttributions(db, {
    now,
    simulated: false,
    attributions: [
      {
        simulated: false,
        location: "inside",
        failing: failing.length,
        healthy: healthy.length,
        undecided: 3,
        noCause: null,
        unexplained: failing.length - members.length,
        unexplainedSample: failing.filter((row) => !isNew(row)).map((row) => row.id),
        candidates: [
          named,
          compare("proxy", "px1.contoso.com:8080", (row) => row.primaryCause?.includes("px1") ?? false),
          compare("site", "Singapore", (row) => row.site === "Singapore"),
          {
            ...compare("agent-version", "1.5.0", (row) => row.site === "Singapore" && row.status === "failing"),
            logP: -3,
          },
          { ...compare("back-end", "EX03", () => null), logP: 0 },
        ],
        causes: [
          {
            key,
            value,
            counts,
            text: `Proxy script ${value.slice(0, 6)} explains ${members.length} of the ${failing.length} failing machines`,
            explains: members.length,
            of: failing.length,
            confidence: "high",
            firstSeen: Math.min(...members.map((row) => row.statusSince.getTime())),
            change: change && {
              id: change.id,
              at: change.firstAt.toISOString(),
              changeKey: change.changeKey,
              text: change.text,
              by: "value",
              seenOn: members.length,
            },
            also: [{ key: "settings-wave", value: "c1" }],
            members: members.map((row) => row.id),
            failingOthers: failing.filter((row) => !isNew(row)).map((row) => row.id),
            healthyMembers: healthy.filter(isNew).map((row) => row.id),
          },
        ],
      },
    ],
  });
  const [id] = made;
  if (id === undefined) throw new Error("the seeded cause was not stored");
  // It was named as its machines began to fail, not all in this moment.
  for (const { id: machineId, statusSince } of members)
    await db.prisma.causeMember.update({
      where: { causeId_machineId: { causeId: id, machineId } },
      data: { since: statusSince },
    });
  return id;
}

/** Peers whose proxied route works: what lets the closed direct route of a proxy-only site count as design. */
const peers: FleetContext = { ...emptyFleet, location: { judged: 40, ok: 30, bad: 10, okThroughProxy: 6 } };

/** Runs one machine through its story and puts what a collector would have stored into the batch. */
function live(story: Story, machineId: string, index: number, policy: Policy, now: Date, batch: IngestBatch): void {
  const epoch = randomUUID();
  const observations = batch.observations as ObservationRow[];
  const machines = batch.machines as IngestBatch["machines"][number][];
  const findings = batch.findings as IngestBatch["findings"][number][];
  const transitions = batch.transitions as TransitionRow[];
  let state: MachineState = emptyState();
  let seq = 0;
  let status: MachineStatus = "cannot-tell";
  let statusSince = now;
  const last = new Map<string, string>();
  const configurations = Array.from({ length: story.configurations ?? 1 }, (_, i) => `c${i + 1}`);
  const pacUrl = story.pacUrl === undefined ? `http://wpad.${domain}/proxy.pac` : story.pacUrl;

  const observe = (kind: Observation["kind"], key: string, seen: Observation["facts"], ago: number) => {
    const at = now.getTime() - ago * minute;
    const digest = digestOf(seen, /^(ms|totalMs)$/);
    const plain = { seq: ++seq, at, ageMs: 0, location: "inside", key, digest, kind, facts: seen } as Observation;
    const observation = story.told?.(plain) ?? plain;
    const { facts } = observation;
    const folded = applyObservation(state, observation, { at, replayed: false }, policy);
    state = folded.state;
    for (const change of folded.changes) {
      transitions.push({
        machineId,
        at: new Date(change.at),
        kind: change.kind,
        text: change.text,
        detail: change.detail,
        severity: null,
        replayed: false,
        changeKey: `${change.kind}:${change.text}`.slice(0, 200),
      });
    }
    if (last.get(key) === digest) return;
    last.set(key, digest);
    const probe = kind === "probe" ? state.facts.probes[key.slice("probe:".length)] : undefined;
    observations.push({
      machineId,
      epoch,
      seq,
      kind,
      key,
      observedAt: new Date(at),
      location: "inside",
      digest,
      verdict: probe?.verdict ?? null,
      raw: false,
      replayed: false,
      facts,
    });
  };

  const offset = (index * 7) % cycle;
  for (let ago = 8 * 60 + offset; ago >= 0; ago -= ago > 150 ? 60 : cycle / 3) {
    if (ago < story.seenAgo) break;
    const agent = story.agent && ago > story.agent.changedAgo ? story.agent.before : (story.agent?.after ?? "1.4.2");
    const system = systemFacts({
      hostname: story.name,
      os: story.os ?? "windows",
      osVersion: story.osVersion ?? "Windows 11 24H2",
      agentVersion: agent,
      address: `10.40.${(index % 60) + 1}.${(index % 200) + 10}`,
      simulated: story.simulated ?? false,
    });
    observe("system", "system", system, ago);
    const settings = configurations.map((id, i) => ({
      id,
      pacUrl: i === 0 ? pacUrl : null,
      server: i === 0 ? (story.manual ?? null) : null,
      users: 1,
    }));
    observe("settings", "settings", settingsFacts({ configurations: settings }), ago);
    const script = ago > scriptChangedAgo ? story.script?.before : story.script?.after;
    if (script) observe("pac", "pac:c1", pacFacts("c1", script), ago);
    for (const [i, configuration] of configurations.entries()) {
      for (const target of policy.targets.filter((t) => t.locations.includes("inside"))) {
        const jitter = ((seq * 31 + index * 17) % 45) - 20;
        for (const via of ["configured", "direct"] as const) {
          // The second user has no script: the configured route is direct.
          const plain: { route: Route } = { route: direct("none") };
          const way = i === 0 ? story.way(target, via, ago) : plain;
          if (via === "direct" && (i > 0 || target.service !== "ews")) continue;
          const key = `probe:${configuration}:${target.id}:${via}`;
          const ways = target.kind === "srv" ? { ...way, route: direct("none") } : way;
          observe("probe", key, probeFacts(target, via, configuration, ways, jitter), ago);
        }
      }
    }
    const at = now.getTime() - ago * minute;
    const before = state.diagnosis;
    const judged = diagnose({
      facts: state.facts,
      persistence: state.persistence,
      policy,
      fleet: peers,
      now: at,
      newCycle: true,
    });
    state = { ...state, diagnosis: judged.diagnosis, persistence: judged.persistence };
    for (const finding of judged.diagnosis.findings) {
      if (before.findings.some((other) => other.pattern === finding.pattern)) continue;
      findings.push({ kind: "raise", machineId, finding });
      transitions.push(
        event(
          machineId,
          at,
          "finding-raised",
          `${finding.pattern}: ${finding.cause}`,
          null,
          finding.severity === "prompting" ? "failing" : null,
        ),
      );
    }
    if (judged.diagnosis.status !== status) {
      if (before.sentence !== emptyState().diagnosis.sentence) {
        transitions.push(
          event(
            machineId,
            at,
            "status",
            `${status.replace("-", " ")} → ${judged.diagnosis.status.replace("-", " ")}`,
            null,
            judged.diagnosis.status,
          ),
        );
      }
      status = judged.diagnosis.status;
      statusSince = new Date(at);
    }
  }
  const seenAt = new Date(now.getTime() - story.seenAgo * minute);
  if (story.end) {
    status = story.end;
    statusSince = new Date(seenAt.getTime() + (story.end === "stale" ? 45 * minute : 0));
    const text = story.end === "stale" ? "silent for 45 min" : "signed off: the machine suspends";
    transitions.push(
      event(machineId, statusSince.getTime(), story.end === "stale" ? "stale" : "goodbye", text, null, story.end),
    );
  }
  const system = state.facts.system?.facts;
  machines.push({
    machineId,
    epoch,
    expectedSeq: 0,
    lastSeq: seq,
    state,
    columns: {
      ...machineColumns(state, policy),
      status,
      statusSince,
      hostname: story.name,
      os: system?.os ?? "other",
      osVersion: system?.osVersion ?? "",
      agentVersion: system?.agentVersion ?? "",
      simulated: story.simulated ?? false,
      site: story.site,
    },
    seenAt,
    checkpoint: false,
  });
}

function event(
  machineId: string,
  at: number,
  kind: TransitionRow["kind"],
  text: string,
  detail: string | null,
  severity: MachineStatus | null,
): TransitionRow {
  return { machineId, at: new Date(at), kind, text, detail, severity, replayed: false, changeKey: null };
}

/** Samples of the last eight hours, of the fleet and of each site; the last ones are what the machines table says. */
async function seedTrend(db: Fleet, now: Date): Promise<void> {
  const all = await db.prisma.machine.findMany({
    select: { site: true, status: true, statusSince: true, atRisk: true, primaryPattern: true, agentVersion: true },
  });
  const end = Math.floor(now.getTime() / minute) * minute;
  const sites = [...new Set(all.flatMap(({ site }) => site ?? []))];
  const data = [];
  for (let at = end - 480 * minute; at <= end; at += 2 * minute)
    for (const site of ["", ...sites]) {
      const rows = site === "" ? all : all.filter((row) => row.site === site);
      const of = (status: string) => rows.filter((row) => row.status === status && row.statusSince.getTime() <= at);
      const [failing, stale, cannotTell, signedOff] = ["failing", "stale", "cannot-tell", "signed-off"].map(
        (status) => of(status).length,
      ) as [number, number, number, number];
      data.push({
        at: new Date(at),
        site,
        failing,
        stale,
        cannotTell,
        signedOff,
        healthy: rows.length - failing - stale - cannotTell - signedOff,
        atRisk: rows.filter((row) => row.status === "healthy" && row.atRisk).length,
        patterns: tally(of("failing").flatMap((row) => row.primaryPattern ?? [])),
        agents: site === "" ? tally(rows.map((row) => row.agentVersion)) : {},
      });
    }
  await db.prisma.fleetSample.createMany({ data, skipDuplicates: true });
}

/** How often each of these is there. */
function tally(names: readonly string[]): Record<string, number> {
  return Object.fromEntries([...new Set(names)].map((name) => [name, names.filter((one) => one === name).length]));
}

/** Many machines, rows only: for lists at size. They have an empty state and no history. */
export async function seedMany(db: Fleet, count: number): Promise<void> {
  const empty = JSON.stringify(emptyState());
  await db.prisma.$executeRaw`
    WITH made AS (
      INSERT INTO machines (id, hostname, public_key, status, status_since, last_seen_at, site, os, os_version,
        agent_version, route, verdict_configured, verdict_direct, chain_configured, chain_direct, pac_hash, location,
        primary_pattern, primary_severity, primary_confidence, primary_cause, primary_since, patterns, at_risk)
      SELECT gen_random_uuid(), 'FLT-' || lpad(n::text, 6, '0'), decode(md5(n::text) || md5('b' || n), 'hex'),
        CASE WHEN n % 30 = 0 THEN 'failing' WHEN n % 55 = 0 THEN 'stale' ELSE 'healthy' END,
        now() - make_interval(secs => (n * 7919) % 800000), now() - make_interval(secs => n % 900),
        (ARRAY['Singapore','Manila','Perth','Sydney','Tokyo','Bengaluru','Vienna'])[1 + n % 7], 'windows',
        'Windows 11 24H2', '1.4.2', CASE WHEN n % 30 = 0 THEN 'px1.contoso.com:8080' ELSE 'direct' END,
        CASE WHEN n % 30 = 0 THEN 'proxy-auth-required' ELSE 'exchange-onprem' END, 'exchange-onprem',
        CASE WHEN n % 30 = 0 THEN 'oofnnn' ELSE 'ooxooo' END, 'ooxooo', ${scripts.old}, 'inside',
        CASE WHEN n % 30 = 0 THEN 'proxy-auth-required' END, CASE WHEN n % 30 = 0 THEN 'prompting' END,
        CASE WHEN n % 30 = 0 THEN 'high' END,
        CASE WHEN n % 30 = 0 THEN 'px1.contoso.com:8080 asks for its own login' END,
        CASE WHEN n % 30 = 0 THEN now() - interval '1 hour' END,
        CASE WHEN n % 30 = 0 THEN ARRAY['proxy-auth-required'] ELSE ARRAY[]::text[] END, false
      FROM generate_series(1, ${count}::int) n RETURNING id)
    INSERT INTO machine_states (machine_id, last_seq, state, updated_at)
    SELECT id, 0, ${empty}::jsonb, now() FROM made`;
  await db.prisma.$executeRaw`ANALYZE machines`;
}
