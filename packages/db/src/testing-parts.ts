import { randomBytes, randomUUID } from "node:crypto";
import type { Scope } from "@lynceus/protocol/access";
import type { MachineState } from "@lynceus/protocol/state";
import { createCanary } from "./canaries.ts";
import { listCauses, saveAttributions } from "./causes.ts";
import { createCommand } from "./commands.ts";
import { createToken, enrolMachine } from "./enrollment.ts";
import { joinChanges, listFleetChanges } from "./fleet-changes.ts";
import { commitBatch, type MachineColumns } from "./ingest.ts";
import { tagMachines } from "./machines-admin.ts";
import { addNote } from "./notes.ts";
import { createReport } from "./reports.ts";
import { recordSample } from "./samples.ts";
import { type Fleet, fleetOf } from "./scope.ts";
import { createSilence } from "./silences.ts";
import { saveSiteSubnets } from "./sites.ts";
import { addTargetSamples } from "./target-samples.ts";
import { createVerification } from "./verifications.ts";

/*
 * For tests alone: a fleet of two parts of which nobody who sees the one may see anything of the other. Whatever is stored of
 * a part carries its name, so that a walk over queries, routes or pages finds a trace of the other by looking for it. A new
 * kind of thing that belongs to machines gets one of each part here.
 */

export const partScopes: Readonly<Record<"BERN" | "GRAZ", Scope>> = {
  BERN: { sites: ["Bern"], tags: null },
  GRAZ: { sites: null, tags: ["vip"] },
};
export type Parts = Record<"BERN" | "GRAZ", Part>;

/** What betrays a part in an answer: its name, its site, the ids of its things. */
export const tracesOf = (parts: Parts, name: "BERN" | "GRAZ"): string[] => {
  const { incident: _, ...ids } = parts[name];
  return [name, name === "BERN" ? "Bern" : "Graz", ...Object.values(ids)];
};

const minutesBefore = (now: Date, minutes: number) => new Date(now.getTime() - minutes * 60_000);

const state: MachineState = {
  facts: { system: null, settings: null, previousSettings: null, wpad: null, pac: {}, previousPac: {}, probes: {} },
  persistence: {},
  diagnosis: { status: "cannot-tell", atRisk: false, sentence: "Nothing was observed yet.", findings: [], groups: [] },
};

/** A failing machine with all that is stored of one: each row carries its name. */
async function fullMachine(db: Fleet, now: Date, name: string, site: string, tags: string[]): Promise<string> {
  const cause = `${name}-proxy:8080 asks for its own login`;
  const { secret } = await createToken(db, {
    label: name,
    site,
    tags,
    maxUses: 1,
    expiresAt: new Date(now.getTime() + 60_000),
    createdBy: "test",
  });
  const made = await enrolMachine(db, {
    secret,
    now: minutesBefore(now, 600),
    publicKey: randomBytes(44),
    hostname: `${name}-1`,
    os: "windows",
    agentVersion: "0.1.0",
    simulated: false,
    state,
  });
  if (!made.ok) throw new Error(made.reason);
  const machineId = made.machineId;
  const columns: MachineColumns = {
    status: "failing",
    site,
    atRisk: false,
    primaryPattern: "proxy-auth-required",
    primarySeverity: "prompting",
    primaryConfidence: "high",
    primaryCause: cause,
    primarySince: minutesBefore(now, 5),
    patterns: ["proxy-auth-required"],
    location: "inside",
    route: `${name}-proxy:8080`,
    verdictConfigured: "proxy-auth-required",
    verdictDirect: "exchange-onprem",
    chainConfigured: "oofnnn",
    chainDirect: "ooxooo",
    pacHash: null,
    tlsIssuer: "Contoso CA 2",
    tlsSpki: null,
    clockSkewMs: 0,
  };
  const epoch = randomUUID();
  const of = { machineId, epoch, location: "inside" as const, raw: false, replayed: false };
  await commitBatch(db, {
    now,
    collectorId: "test",
    observations: [
      {
        ...of,
        seq: -1,
        kind: "timings",
        key: "timings",
        observedAt: minutesBefore(now, 1),
        digest: `${name}t`,
        verdict: null,
        facts: { from: minutesBefore(now, 60).getTime(), hours: 1, probes: { [`${name}:ews:configured`]: [12] } },
      },
      ...[1, 2].map((seq) => ({
        ...of,
        seq,
        kind: "probe",
        key: "probe:a1b2:ews:configured",
        observedAt: minutesBefore(now, 1),
        digest: `${name}${seq}`,
        verdict: "proxy-auth-required" as const,
        facts: { configuration: "a1b2", name },
      })),
    ],
    machines: [{ machineId, epoch, expectedSeq: 0, lastSeq: 2, state, columns, seenAt: now, checkpoint: false }],
    findings: [
      {
        kind: "raise",
        machineId,
        finding: {
          pattern: "proxy-auth-required",
          severity: "prompting",
          confidence: "high",
          primary: true,
          explains: true,
          configurations: [],
          users: 1,
          evidence: [],
          sentence: `${name} asks`,
          cause,
          since: minutesBefore(now, 5).getTime(),
        },
      },
    ],
    transitions: [
      {
        machineId,
        at: minutesBefore(now, 4),
        kind: "script",
        text: `Script of ${name}`,
        detail: null,
        severity: null,
        replayed: false,
        changeKey: `script:${name}`,
      },
    ],
    quarantine: [],
  });
  await addNote(db, machineId, `${name} is looked after by Ann`, { actor: "test", now });
  if (tags.length > 0) await tagMachines(db, [machineId], { add: tags }, { actor: "test", now });
  return machineId;
}

/** An open incident of one machine and a cause, and one that was merged into it; each text carries its name. */
async function incidentOf(db: Fleet, now: Date, name: string, machineId: string, causeId: string): Promise<string> {
  const number = name === "BERN" ? 118_201 : 118_202;
  const common = {
    kind: "failing",
    simulated: false,
    location: "inside",
    pattern: "proxy-auth-required",
    severity: "prompting",
    confidence: "high",
    urgency: "high",
    title: `${name}-proxy:8080 asks for its own login`,
    since: minutesBefore(now, 5),
    openedAt: minutesBefore(now, 5),
    failing: 1,
    silent: 0,
    peak: 1,
    sites: [{ site: name === "BERN" ? "Bern" : "Graz", machines: 1, of: 1 }],
    memory: {},
  };
  await db.prisma.incident.create({
    data: {
      ...common,
      number,
      state: "open",
      causeId,
      memory: { tellings: { all: { held: "no-receiver", toldAt: null } } },
      live: true,
      members: { create: { machineId, joinedAt: minutesBefore(now, 5) } },
      events: { create: { at: minutesBefore(now, 5), kind: "note", text: `${name} is looked at`, detail: {} } },
    },
  });
  const endedAt = minutesBefore(now, 3);
  await db.prisma.incident.create({
    data: {
      ...common,
      number: number + 100,
      state: "merged",
      live: false,
      endedAt,
      endedHow: "merged",
      mergedInto: number,
      members: { create: { machineId, joinedAt: minutesBefore(now, 5), leftAt: endedAt } },
    },
  });
  return String(number);
}

/** What is in the fleet of these tests, by name: nothing of the one may be seen through a scope of the other. */
export interface Part {
  machine: string;
  command: string;
  report: string;
  canary: string;
  verification: string;
  token: string;
  change: string;
  cause: string;
  /** Its number. */
  incident: string;
  silence: string;
}

const compared = {
  failingWith: 1,
  failingWithout: 1,
  failingUnknown: 0,
  healthyWith: 0,
  healthyWithout: 0,
  healthyUnknown: 0,
  logP: -1,
};

/** Stores both parts, as they are at `now`. Partitions of that day are there already. */
export async function seedParts(db: Fleet, now: Date): Promise<Parts> {
  const by = { actor: "test", now };
  const parts = {} as Parts;
  const ids = {
    BERN: await fullMachine(db, now, "BERN", "Bern", []),
    GRAZ: await fullMachine(db, now, "GRAZ", "Graz", ["vip"]),
  };
  await joinChanges(db);
  const changes = (await listFleetChanges(db)).items;
  await saveAttributions(db, {
    now,
    simulated: false,
    attributions: [
      {
        simulated: false,
        location: "inside",
        failing: 2,
        healthy: 0,
        undecided: 0,
        noCause: null,
        unexplained: 0,
        unexplainedSample: [],
        candidates: (["BERN", "GRAZ"] as const).map((name) => ({
          key: "proxy",
          value: `${name}-proxy:8080`,
          ...compared,
        })),
        causes: (["BERN", "GRAZ"] as const).map((name) => ({
          key: "proxy",
          value: `${name}-proxy:8080`,
          text: `Proxy ${name}-proxy:8080 explains 1 of the 2 failing machines`,
          explains: 1,
          of: 2,
          counts: compared,
          confidence: "low",
          firstSeen: now.getTime(),
          change: null,
          also: [{ key: "site", value: name === "BERN" ? "Bern" : "Graz" }],
          members: [ids[name]],
          failingOthers: [ids[name === "BERN" ? "GRAZ" : "BERN"]],
          healthyMembers: [],
        })),
      },
    ],
  });
  await saveSiteSubnets(
    db,
    [
      { cidr: "10.1.0.0/16", site: "Bern" },
      { cidr: "10.2.0.0/16", site: "Graz" },
    ],
    by,
  );
  await recordSample(db, now);
  await addTargetSamples(
    db,
    ["Bern", "Graz"].map((site) => ({
      site,
      target: `ews-${site}`,
      via: "configured" as const,
      simulated: false,
      at: minutesBefore(now, 10).getTime(),
      ok: 1,
      bad: 0,
      undecided: 0,
      latency: {},
    })),
  );
  const open = (await listCauses(db)).items;
  for (const [name, scope] of [
    ["BERN", partScopes.BERN],
    ["GRAZ", partScopes.GRAZ],
  ] as const) {
    const own = fleetOf(db, scope);
    const machineId = ids[name];
    const cause = open.find(({ value }) => value.startsWith(name))?.id ?? "";
    const report = { user: `${name}-user`, prompted: true, pattern: null, note: name };
    const proposal = { autoDetect: false, pac: null, server: `${name}-new:8080`, bypass: "" };
    const cohort = { pattern: null, cause: null, causeId: null, q: `name:${name}*`, site: null };
    const token = { label: name, site: name === "BERN" ? "Bern" : "Graz", tags: name === "GRAZ" ? ["vip"] : [] };
    parts[name] = {
      machine: machineId,
      command: (await createCommand(own, { machineId, createdBy: name, now }))?.id ?? "",
      report: (await createReport(own, machineId, report, by))?.id ?? "",
      canary: (await createCanary(own, { title: name, proposal, q: "", site: null, probe: [] }, by)).id,
      verification: (await createVerification(own, cohort, [], by)).id,
      token: (await createToken(own, { ...token, maxUses: 1, expiresAt: now, createdBy: name })).id,
      change: changes.find(({ changeKey }) => changeKey === `script:${name}`)?.id ?? "",
      cause,
      incident: await incidentOf(own, now, name, machineId, cause),
      silence: (
        await createSilence(
          own,
          { match: "", comment: name, endsAt: new Date(now.getTime() + 3_600_000).toISOString() },
          by,
        )
      ).id,
    };
  }
  await db.prisma.$executeRaw`
    INSERT INTO canary_results (canary_id, machine_id, effect, targets)
    SELECT c.id, m.id, 'moves', '[]' FROM canaries c, machines m WHERE m.hostname = c.title || '-1'
    ON CONFLICT DO NOTHING`;
  return parts;
}
