import { randomUUID } from "node:crypto";
import type { Observation, RawObservation } from "@lynceus/protocol/facts";
import type {
  AttributionKey,
  Confidence,
  Location,
  MachineStatus,
  PatternId,
  Severity,
  Verdict,
} from "@lynceus/protocol/names";
import { changeKinds, type TimelineEntry } from "@lynceus/protocol/read-api";
import type { Finding, MachineState } from "@lynceus/protocol/state";
import type { Timings } from "@lynceus/protocol/timings";
import { type Database, Prisma } from "./client.ts";
import { ensurePartitions } from "./partitions.ts";
import { sqlState } from "./sql-error.ts";
import { toSqlJson } from "./sql-text.ts";

/** A row of `observations`. Received at the batch's `now`. */
export interface ObservationRow {
  machineId: string;
  epoch: string;
  seq: number;
  kind: string;
  key: string;
  /** Corrected for the machine's clock skew. */
  observedAt: Date;
  location: string;
  digest: string;
  verdict: Verdict | null;
  /** Kept without being understood. */
  raw: boolean;
  replayed: boolean;
  facts: Observation["facts"] | RawObservation["facts"] | Timings;
}

/** Columns of `machines` that are derived from its state: what lists, filters and counts read. */
export interface MachineColumns {
  status: MachineStatus;
  atRisk: boolean;
  primaryPattern: PatternId | null;
  primarySeverity: Severity | null;
  primaryConfidence: Confidence | null;
  primaryCause: string | null;
  /** A Date or milliseconds since 1970. */
  primarySince: Date | number | null;
  patterns: readonly PatternId[];
  location: Location;
  route: string | null;
  verdictConfigured: Verdict | null;
  verdictDirect: Verdict | null;
  chainConfigured: string | null;
  chainDirect: string | null;
  pacHash: string | null;
  tlsIssuer: string | null;
  tlsSpki: string | null;
  clockSkewMs: number | null;
  /** Absent: not known. */
  answerMs?: number | null;
  /** When the present status began, where that is not `seenAt`; only read when the status changes. */
  statusSince?: Date | number | null;
  /** Undefined leaves what is stored. */
  hostname?: string;
  os?: string;
  osVersion?: string;
  agentVersion?: string;
  simulated?: boolean;
  site?: string | null;
}

/**
 * What machines may share, as the last facts show it: a row of `machine_traits`. "none" where something was looked for
 * and is not there; null where it is not known.
 */
export interface TraitColumns {
  /** Tells the collector that nothing changed. */
  digest: string;
  pacUrl: string | null;
  resolver: string | null;
  subnet: string | null;
  backEnd: string | null;
  address: string | null;
  routeKind: string | null;
  configuration: string | null;
  /** Milliseconds since 1970. */
  settingsChangedAt: number | null;
  settingsCounter: number | null;
  tlsSpkiBefore: string | null;
  tlsChangedAt: number | null;
  dnsAnswer: string | null;
  /** What lists show and filter by, beside what is compared; absent: not known. */
  chosenBy?: string | null;
  zone?: string | null;
  winhttp?: string | null;
  privateAddress?: string | null;
  failedTargets?: readonly string[];
  /** Of the machine: first sights are kept apart. */
  simulated: boolean;
}

export interface MachineUpdate {
  machineId: string;
  /** The epoch that `lastSeq` is of. */
  epoch: string | null;
  /** What is stored now in this epoch; 0 also for an epoch that begins with this batch. */
  expectedSeq: number;
  lastSeq: number;
  /**
   * Null: what is stored stays, and trails until the next update. Only where all that is new in the state comes from
   * this batch's observations, since `loadStates` gives them back to whoever goes on from there.
   */
  state: MachineState | null;
  columns: MachineColumns;
  /** Absent or null: what is stored stays. Given where something in it changed, or the status. */
  traits?: TraitColumns | null;
  seenAt: Date;
  /** This batch holds the machine's daily checkpoint (rule 13). */
  checkpoint: boolean;
}

export type FindingChange =
  /** `id` is made when absent. */
  | { kind: "raise"; machineId: string; finding: Finding; id?: string }
  /** Same finding, new words, severity or evidence. */
  | { kind: "update"; machineId: string; finding: Finding }
  | { kind: "clear"; machineId: string; pattern: PatternId; clearedAt: Date };

/** A row of the timeline. `id` is made when absent. */
export interface TransitionRow {
  machineId: string;
  at: Date;
  id?: string;
  kind: TimelineEntry["kind"];
  text: string;
  detail: string | null;
  severity: MachineStatus | null;
  replayed: boolean;
  /** What joins the same change on many machines; null when it is this machine's alone. */
  changeKey: string | null;
  /** What the change gives a value that attribution compares; only of the kinds of `changeKinds`. */
  sets?: { readonly key: AttributionKey; readonly value: string } | null;
}

export interface QuarantineRow {
  machineId: string;
  reason: string;
  /** Base64 of the JSON text. */
  payload: string;
}

export interface IngestBatch {
  now: Date;
  collectorId: string;
  observations: readonly ObservationRow[];
  machines: readonly MachineUpdate[];
  findings: readonly FindingChange[];
  transitions: readonly TransitionRow[];
  quarantine: readonly QuarantineRow[];
}

interface FindingInsert extends Finding {
  id: string;
  machineId: string;
  clearedAt: Date | null;
}
interface FindingEdit {
  machineId: string;
  pattern: string;
  finding: Finding | null;
  clearedAt: Date | null;
}

/** Many changes of one finding in a batch become at most one edit of the stored row and the rows that begin in it. */
function foldFindings(changes: readonly FindingChange[]): { inserts: FindingInsert[]; edits: FindingEdit[] } {
  const inserts: FindingInsert[] = [];
  const edits = new Map<string, FindingEdit>();
  const open = new Map<string, FindingInsert>();
  for (const change of changes) {
    const pattern = change.kind === "clear" ? change.pattern : change.finding.pattern;
    const key = `${change.machineId} ${pattern}`;
    if (change.kind === "raise") {
      const row = { ...change.finding, id: change.id ?? randomUUID(), machineId: change.machineId, clearedAt: null };
      inserts.push(row);
      open.set(key, row);
      continue;
    }
    const begun = open.get(key);
    if (begun) {
      if (change.kind === "update") Object.assign(begun, change.finding);
      else {
        begun.clearedAt = change.clearedAt;
        open.delete(key);
      }
      continue;
    }
    const edit = edits.get(key) ?? { machineId: change.machineId, pattern, finding: null, clearedAt: null };
    if (change.kind === "update") edit.finding = change.finding;
    else edit.clearedAt = change.clearedAt;
    edits.set(key, edit);
  }
  return { inserts, edits: [...edits.values()] };
}

/** Kinds of the timeline that are the fleet's changes too. */
const fleetKinds: ReadonlySet<string> = new Set(changeKinds);

const toDate = (at: Date | number | null | undefined) => (typeof at === "number" ? new Date(at) : (at ?? null));

async function commitOnce(db: Database, batch: IngestBatch): Promise<string[]> {
  const { inserts, edits } = foldFindings(batch.findings);
  const machines = batch.machines.map(({ columns, traits, ...rest }) => ({
    ...columns,
    ...rest,
    ...(traits && {
      traits: {
        ...traits,
        settingsChangedAt: toDate(traits.settingsChangedAt),
        tlsChangedAt: toDate(traits.tlsChangedAt),
      },
    }),
    siteGiven: columns.site !== undefined,
    primarySince: toDate(columns.primarySince),
    statusSince: toDate(columns.statusSince),
  }));
  const transitions = batch.transitions.map(({ sets, ...row }) => ({
    ...row,
    id: row.id ?? randomUUID(),
    // What the fleet's changes are joined from.
    ...(row.changeKey !== null &&
      fleetKinds.has(row.kind) && { joins: true, setKey: sets?.key ?? null, setValue: sets?.value ?? null }),
  }));
  const quarantine = batch.quarantine.map((row) => ({ ...row, id: randomUUID() }));
  const now = batch.now;
  // One statement is one transaction and one round trip; every part joins `moved`, so a machine goes in whole or not at all.
  const statement = Prisma.sql`
    WITH machine_in AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(${toSqlJson(machines)}::jsonb) AS r(
        "machineId" uuid, epoch uuid, "expectedSeq" bigint, "lastSeq" bigint, state jsonb, "seenAt" timestamptz,
        checkpoint boolean, status text, "atRisk" boolean, "primaryPattern" text, "primarySeverity" text,
        "primaryConfidence" text, "primaryCause" text, "primarySince" timestamptz, patterns text[], location text,
        route text, "verdictConfigured" text, "verdictDirect" text, "chainConfigured" text, "chainDirect" text,
        "pacHash" text, "tlsIssuer" text, "tlsSpki" text, "clockSkewMs" float8, "answerMs" float8, "statusSince" timestamptz,
        hostname text, os text, "osVersion" text, "agentVersion" text, simulated boolean,
        site text, "siteGiven" boolean, traits jsonb)
    ), moved AS (
      UPDATE machine_states s
      SET epoch = r.epoch, last_seq = r."lastSeq", updated_at = ${now},
          -- A state that is not given is not even read: its pages stay as they are.
          state = coalesce(r.state, s.state),
          state_seq = CASE WHEN r.state IS NULL THEN s.state_seq ELSE r."lastSeq" END,
          checkpoint_at = CASE WHEN r.checkpoint THEN ${now}::timestamptz ELSE s.checkpoint_at END
      FROM machine_in r
      WHERE s.machine_id = r."machineId"
        AND ((s.epoch IS NOT DISTINCT FROM r.epoch AND s.last_seq = r."expectedSeq")
          OR (s.epoch IS DISTINCT FROM r.epoch AND r."expectedSeq" = 0))
      RETURNING s.machine_id
    ), machine_out AS (
      UPDATE machines m
      SET status_since = CASE WHEN m.status = r.status THEN m.status_since ELSE coalesce(r."statusSince", r."seenAt") END,
          status = r.status, at_risk = r."atRisk", primary_pattern = r."primaryPattern",
          primary_severity = r."primarySeverity", primary_confidence = r."primaryConfidence",
          primary_cause = r."primaryCause", primary_since = r."primarySince", patterns = r.patterns,
          location = r.location, route = r.route, verdict_configured = r."verdictConfigured",
          verdict_direct = r."verdictDirect", chain_configured = r."chainConfigured", chain_direct = r."chainDirect",
          pac_hash = r."pacHash", tls_issuer = r."tlsIssuer", tls_spki = r."tlsSpki", clock_skew_ms = r."clockSkewMs", answer_ms = r."answerMs",
          last_seen_at = greatest(m.last_seen_at, r."seenAt"),
          signed_off_at = CASE WHEN r.status = 'signed-off' THEN coalesce(m.signed_off_at, r."seenAt") END,
          hostname = coalesce(r.hostname, m.hostname), os = coalesce(r.os, m.os),
          os_version = coalesce(r."osVersion", m.os_version), agent_version = coalesce(r."agentVersion", m.agent_version),
          simulated = coalesce(r.simulated, m.simulated), site = CASE WHEN r."siteGiven" THEN r.site ELSE m.site END
      FROM machine_in r JOIN moved ON moved.machine_id = r."machineId"
      WHERE m.id = r."machineId"
    ), trait_out AS (
      INSERT INTO machine_traits AS t (machine_id, changed_at, digest, pac_url, resolver, subnet, back_end, address,
        route_kind, configuration, settings_changed_at, settings_counter, tls_spki_before, tls_changed_at, dns_answer,
        chosen_by, zone, winhttp, private_address, failed_targets)
      SELECT r."machineId", now(), x.digest, x."pacUrl", x.resolver, x.subnet, x."backEnd", x.address, x."routeKind",
        x.configuration, x."settingsChangedAt", x."settingsCounter", x."tlsSpkiBefore", x."tlsChangedAt", x."dnsAnswer",
        x."chosenBy", x.zone, x.winhttp, x."privateAddress", coalesce(x."failedTargets", '{}')
      FROM machine_in r JOIN moved ON moved.machine_id = r."machineId"
      CROSS JOIN LATERAL jsonb_to_record(r.traits) AS x(
        digest text, "pacUrl" text, resolver text, subnet text, "backEnd" text, address text, "routeKind" text,
        configuration text, "settingsChangedAt" timestamptz, "settingsCounter" bigint, "tlsSpkiBefore" text,
        "tlsChangedAt" timestamptz, "dnsAnswer" text, "chosenBy" text, zone text, winhttp text, "privateAddress" text,
        "failedTargets" text[])
      WHERE r.traits IS NOT NULL
      ON CONFLICT (machine_id) DO UPDATE SET changed_at = excluded.changed_at, digest = excluded.digest,
        pac_url = excluded.pac_url, resolver = excluded.resolver, subnet = excluded.subnet,
        back_end = excluded.back_end, address = excluded.address, route_kind = excluded.route_kind,
        configuration = excluded.configuration, settings_changed_at = excluded.settings_changed_at,
        settings_counter = excluded.settings_counter, tls_spki_before = excluded.tls_spki_before,
        tls_changed_at = excluded.tls_changed_at, dns_answer = excluded.dns_answer,
        chosen_by = excluded.chosen_by, zone = excluded.zone, winhttp = excluded.winhttp,
        private_address = excluded.private_address, failed_targets = excluded.failed_targets
    ), first_out AS (
      INSERT INTO first_seen (key, value, simulated, at)
      SELECT DISTINCT 'pac-hash', r."pacHash", (r.traits->>'simulated')::boolean, ${now}::timestamptz FROM machine_in r
      WHERE r.traits IS NOT NULL AND r."pacHash" IS NOT NULL ORDER BY 2
      ON CONFLICT DO NOTHING
    ), observation_out AS (
      INSERT INTO observations (machine_id, received_at, epoch, seq, kind, key, observed_at, location, digest, verdict,
                                raw, replayed, facts)
      SELECT r."machineId", ${now}, r.epoch, r.seq, r.kind, r.key, r."observedAt", r.location, r.digest, r.verdict,
             r.raw, r.replayed, coalesce(r.facts, 'null')
      FROM jsonb_to_recordset(${toSqlJson(batch.observations)}::jsonb) AS r(
        "machineId" uuid, epoch uuid, seq bigint, kind text, key text, "observedAt" timestamptz, location text,
        digest text, verdict text, raw boolean, replayed boolean, facts jsonb)
      JOIN moved ON moved.machine_id = r."machineId"
    ), finding_edit_in AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(${toSqlJson(edits)}::jsonb) AS r(
        "machineId" uuid, pattern text, finding jsonb, "clearedAt" timestamptz)
    ), finding_edit AS (
      UPDATE findings f
      SET severity = coalesce(r.finding->>'severity', f.severity),
          confidence = coalesce(r.finding->>'confidence', f.confidence),
          "primary" = coalesce((r.finding->>'primary')::boolean, f."primary"),
          cause = coalesce(r.finding->>'cause', f.cause), sentence = coalesce(r.finding->>'sentence', f.sentence),
          evidence = coalesce(r.finding->'evidence', f.evidence),
          configurations = CASE WHEN r.finding IS NULL THEN f.configurations
            ELSE ARRAY(SELECT jsonb_array_elements_text(r.finding->'configurations')) END,
          users = coalesce((r.finding->>'users')::int, f.users), cleared_at = r."clearedAt"
      FROM finding_edit_in r JOIN moved ON moved.machine_id = r."machineId"
      WHERE f.machine_id = r."machineId" AND f.pattern = r.pattern AND f.cleared_at IS NULL
    ), finding_out AS (
      INSERT INTO findings (id, machine_id, pattern, severity, confidence, "primary", cause, sentence, evidence,
                            configurations, users, since, cleared_at)
      SELECT r.id, r."machineId", r.pattern, r.severity, r.confidence, r."primary", r.cause, r.sentence, r.evidence,
             r.configurations, r.users, to_timestamp(r.since / 1000), r."clearedAt"
      FROM jsonb_to_recordset(${toSqlJson(inserts)}::jsonb) AS r(
        id uuid, "machineId" uuid, pattern text, severity text, confidence text, "primary" boolean, cause text,
        sentence text, evidence jsonb, configurations text[], users int, since float8, "clearedAt" timestamptz)
      JOIN moved ON moved.machine_id = r."machineId"
      -- One open row a pattern, also when a collector that restarted raises again what is already raised.
      WHERE NOT EXISTS (
        SELECT FROM findings f
        WHERE f.machine_id = r."machineId" AND f.pattern = r.pattern AND f.cleared_at IS NULL
          AND NOT EXISTS (SELECT FROM finding_edit_in e
            WHERE e."machineId" = f.machine_id AND e.pattern = f.pattern AND e."clearedAt" IS NOT NULL))
    ), transition_in AS MATERIALIZED (
      SELECT r.* FROM jsonb_to_recordset(${toSqlJson(transitions)}::jsonb) AS r(
        "machineId" uuid, at timestamptz, id uuid, kind text, text text, detail text, severity text, replayed boolean,
        "changeKey" text, joins boolean, "setKey" text, "setValue" text)
      JOIN moved ON moved.machine_id = r."machineId"
    ), transition_out AS (
      INSERT INTO transitions (machine_id, at, id, kind, text, detail, severity, replayed, change_key)
      SELECT r."machineId", r.at, r.id, r.kind, r.text, r.detail, r.severity, r.replayed, r."changeKey"
      FROM transition_in r
      ON CONFLICT DO NOTHING
    ), change_out AS (
      INSERT INTO pending_changes (machine_id, at, kind, text, detail, change_key, set_key, set_value)
      SELECT r."machineId", r.at, r.kind, r.text, r.detail, r."changeKey", r."setKey", r."setValue"
      FROM transition_in r WHERE r.joins
    ), quarantine_out AS (
      INSERT INTO quarantine (id, machine_id, received_at, reason, payload)
      SELECT r.id, r."machineId", ${now}, r.reason, r.payload
      FROM jsonb_to_recordset(${toSqlJson(quarantine)}::jsonb) AS r(id uuid, "machineId" uuid, reason text, payload text)
    )
    SELECT array_agg(machine_id::text) AS moved, pg_notify('lynceus', '')::text FROM moved`;
  // Past Prisma, which copies a megabyte of parameters several times; prepared, since planning takes longer than a small batch.
  const { rows } = await db.pool.query<{ moved: string[] | null }>({
    name: "lynceus-commit-batch",
    text: statement.text,
    values: statement.values,
  });
  const moved = new Set(rows[0]?.moved ?? []);
  return batch.machines.map((machine) => machine.machineId).filter((id) => !moved.has(id));
}

/**
 * Stores a batch in one transaction, and tells listeners of `lynceus` once. A machine whose stored (epoch, last seq)
 * is not what was expected is left out whole (its row, observations, findings, transitions) and returned in
 * `conflicts`: another collector was faster, or the machine was retired; load its state again.
 *
 * NUL and lone surrogates in any text are stored as U+FFFD. Throws what PostgreSQL refuses, with nothing stored:
 * `isTransient(error)` of sql-error.ts tells an outage from an offender in the batch.
 * Every observation, finding and transition must be of a machine in `machines`; a machine may appear once.
 */
export async function commitBatch(db: Database, batch: IngestBatch): Promise<{ conflicts: string[] }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return { conflicts: await commitOnce(db, batch) };
    } catch (error) {
      const state = sqlState(error);
      // Two collectors that update the same machines in a different order; a day whose partition nobody made.
      if (attempt >= 3 || (state !== "40P01" && state !== "40001" && state !== "23514")) throw error;
      if (state === "23514") await ensurePartitions(db, batch.now);
    }
  }
}
