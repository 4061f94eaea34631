import { randomBytes, randomUUID } from "node:crypto";
import type { MachineState } from "@lynceus/protocol/state";
import { afterAll, beforeAll } from "vitest";
import { openDatabase } from "../src/client.ts";
import { createToken, enrolMachine } from "../src/enrollment.ts";
import type { IngestBatch, MachineColumns, MachineUpdate, ObservationRow } from "../src/ingest.ts";
import { ensurePartitions } from "../src/partitions.ts";
import { type Fleet, wholeFleet } from "../src/scope.ts";
import { createTestDatabase } from "../src/testing.ts";

export const now = new Date("2026-11-22T12:00:00.000Z");
export const minutesAgo = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);

/** A fresh migrated database for a test file, with today's partitions. Reads through the getter after set-up. */
export function useDatabase(): { readonly db: Fleet } {
  let db: Fleet | undefined;
  let drop = async () => {};
  beforeAll(async () => {
    const made = await createTestDatabase();
    db = wholeFleet(openDatabase({ url: made.url }));
    drop = made.drop;
    await ensurePartitions(db, now);
  });
  afterAll(async () => {
    await db?.close();
    await drop();
  });
  return {
    get db() {
      if (!db) throw new Error("the database is there only inside tests");
      return db;
    },
  };
}

export const emptyState = (): MachineState => ({
  facts: { system: null, settings: null, previousSettings: null, wpad: null, pac: {}, previousPac: {}, probes: {} },
  persistence: {},
  diagnosis: { status: "cannot-tell", atRisk: false, sentence: "Nothing was observed yet.", findings: [], groups: [] },
});

export const columns = (over: Partial<MachineColumns> = {}): MachineColumns => ({
  status: "healthy",
  atRisk: false,
  primaryPattern: null,
  primarySeverity: null,
  primaryConfidence: null,
  primaryCause: null,
  primarySince: null,
  patterns: [],
  location: "inside",
  route: "direct",
  verdictConfigured: "exchange-onprem",
  verdictDirect: "exchange-onprem",
  chainConfigured: "ooxooo",
  chainDirect: "ooxooo",
  pacHash: null,
  tlsIssuer: "Contoso CA 2",
  tlsSpki: null,
  clockSkewMs: 0,
  ...over,
});

/** Enrols a machine of its own token. */
export async function enrol(db: Fleet, hostname: string): Promise<string> {
  const { secret } = await createToken(db, { maxUses: 1, expiresAt: new Date("2030-01-01"), createdBy: "test" });
  const made = await enrolMachine(db, {
    secret,
    now: minutesAgo(600),
    publicKey: randomBytes(44),
    hostname,
    os: "windows",
    agentVersion: "0.1.0",
    simulated: false,
    state: emptyState(),
  });
  if (!made.ok) throw new Error(made.reason);
  return made.machineId;
}

export const epoch = "11111111-1111-4111-8111-111111111111";

export const observation = (machineId: string, seq: number, over: Partial<ObservationRow> = {}): ObservationRow => ({
  machineId,
  epoch,
  seq,
  kind: "probe",
  key: "probe:a1b2:ews:configured",
  observedAt: minutesAgo(1),
  location: "inside",
  digest: "0123456789abcdef",
  verdict: "exchange-onprem",
  raw: false,
  replayed: false,
  facts: { configuration: "a1b2" },
  ...over,
});

export const update = (
  machineId: string,
  seqs: [from: number, to: number],
  over: Partial<MachineUpdate> = {},
): MachineUpdate => ({
  machineId,
  epoch,
  expectedSeq: seqs[0],
  lastSeq: seqs[1],
  state: emptyState(),
  columns: columns(),
  seenAt: now,
  checkpoint: false,
  ...over,
});

export const batch = (over: Partial<IngestBatch>): IngestBatch => ({
  now,
  collectorId: randomUUID(),
  observations: [],
  machines: [],
  findings: [],
  transitions: [],
  quarantine: [],
  ...over,
});

/** Enrols a machine and stores its columns: for tests of lists. */
export async function machine(db: Fleet, hostname: string, over: Partial<MachineColumns> = {}, seenAt = now) {
  const { commitBatch } = await import("../src/ingest.ts");
  const id = await enrol(db, hostname);
  await commitBatch(db, batch({ machines: [update(id, [0, 1], { columns: columns(over), seenAt })] }));
  return id;
}
