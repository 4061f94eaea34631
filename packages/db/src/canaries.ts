import { randomUUID } from "node:crypto";
import type { Scope } from "@lynceus/protocol/access";
import type { CanaryRoute } from "@lynceus/protocol/canary";
import type { FilterTerm } from "@lynceus/protocol/filter";
import {
  type Canary,
  type CanaryEffect,
  type CanaryMachine,
  type CanaryTarget,
  canaryEffects,
  type NewCanary,
  type Proposal,
} from "@lynceus/protocol/read-api-tools";
import type { MachineFacts } from "@lynceus/protocol/state";
import { writeAudit } from "./audit.ts";
import { type Database, Prisma, type Reader } from "./client.ts";
import { CursorError, cursorId, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import { machineWhere, type Page } from "./machines.ts";
import {
  type Fleet,
  type FleetReader,
  fromScopeColumns,
  machines,
  madeWithin,
  ofMachines,
  type ScopeColumns,
  toScopeColumns,
} from "./scope.ts";
import { toSqlJson, toSqlText } from "./sql-text.ts";

interface JsonRow extends Omit<Canary, "proposal" | "effects"> {
  proposal: Proposal;
  scriptSha256: string | null;
  effects: Partial<Record<CanaryEffect, number>>;
}

const columns = Prisma.sql`
  c.id, c.title, c.created_at AS "createdAt", c.created_by AS "createdBy", c.finished_at AS "finishedAt", c.state,
  c.reason, c.proposal #- '{pac,text}' AS proposal, c.script_sha256 AS "scriptSha256", c.q, c.site, c.machines,
  c.evaluated,
  (SELECT coalesce(json_object_agg(e.effect, e.machines), '{}') FROM (
    SELECT effect, count(*)::int AS machines FROM canary_results WHERE canary_id = c.id GROUP BY effect) e) AS effects,
  (SELECT json_build_object(
      'asked', count(*) FILTER (WHERE r.probe_state <> 'none'),
      'answered', count(*) FILTER (WHERE r.probe_state = 'done'),
      'missing', count(*) FILTER (WHERE r.probe_state IN ('refused', 'expired')))
    FROM canary_results r WHERE r.canary_id = c.id) AS probes`;

/** A canary `c` is seen by who sees all of the part that it was made for. */
const within = (db: FleetReader) => madeWithin(db, Prisma.sql`c`);

const iso = (at: string | null) => (at === null ? null : new Date(at).toISOString());

/** Userinfo is refused when a run is made; a query of a script's address may hold a secret and is not shown. */
const shownUrl = (url: string): string => url.split(/[?#]/, 1)[0] ?? "";

function tidy({ scriptSha256, ...row }: JsonRow): Canary {
  const { autoDetect, pac, server, bypass } = row.proposal;
  return {
    ...row,
    createdAt: new Date(row.createdAt).toISOString(),
    finishedAt: iso(row.finishedAt),
    proposal: {
      autoDetect,
      pac: pac && { from: pac.from, url: pac.from === "url" ? shownUrl(pac.url) : null, sha256: scriptSha256 },
      server,
      bypass,
    },
    effects: Object.fromEntries(canaryEffects.map((effect) => [effect, row.effects[effect] ?? 0])) as Canary["effects"],
  };
}

/**
 * Queues a canary; collectors hear `lynceus_work`. The proposal has to be free of secrets already: what it holds is
 * stored and shown. Audited, without the script's text.
 */
export async function createCanary(db: Fleet, input: NewCanary, by: { actor: string; now: Date }): Promise<Canary> {
  const id = randomUUID();
  const { proposal } = input;
  const scope = toScopeColumns(db.scope);
  await db.prisma.$transaction(async (prisma) => {
    await prisma.$executeRaw`
      INSERT INTO canaries (id, title, created_at, created_by, state, proposal, q, site, probe, scoped, scope_sites,
        scope_tags)
      VALUES (${id}::uuid, ${toSqlText(input.title)}, ${by.now}, ${by.actor}, 'queued', ${toSqlJson(proposal)}::jsonb,
        ${toSqlText(input.q)}, ${input.site === null ? null : toSqlText(input.site)}, ${input.probe}::uuid[],
        ${scope.scoped}, ${scope.scopeSites}::text[], ${scope.scopeTags}::text[])`;
    const { title, q, site, probe } = input;
    const pac =
      proposal.pac?.from === "url"
        ? { from: "url", url: shownUrl(proposal.pac.url) }
        : proposal.pac && { from: "text" };
    await writeAudit(
      { prisma },
      {
        actor: by.actor,
        action: "canary.create",
        subject: id,
        after: { title, q, site, probe, proposal: { ...proposal, pac } },
      },
    );
    await prisma.$executeRaw`SELECT pg_notify('lynceus_work', '')::text, pg_notify('lynceus', '')::text`;
  });
  const made = await getCanary(db, id);
  if (!made) throw new Error(`canary ${id} is gone right after it was made`);
  return made;
}

/** One canary with its counts, or null. */
export async function getCanary(db: FleetReader, id: string): Promise<Canary | null> {
  if (!isUuid(id)) return null;
  const [row] = await db.prisma.$queryRaw<{ item: JsonRow }[]>`
    SELECT to_json(one) AS item FROM (SELECT ${columns} FROM canaries c WHERE c.id = ${id}::uuid AND ${within(db)}) one`;
  return row ? tidy(row.item) : null;
}

/** The script that a canary judges, for who may see it; null when it has none. */
export async function canaryScript(db: FleetReader, id: string): Promise<string | null> {
  if (!isUuid(id)) return null;
  const [row] = await db.prisma.$queryRaw<{ script: string | null }[]>`
    SELECT coalesce(script, proposal #>> '{pac,text}') AS script FROM canaries c WHERE id = ${id}::uuid AND ${within(db)}`;
  return row?.script ?? null;
}

/** The newest canaries. */
export async function listCanaries(db: FleetReader, query: { limit?: number } = {}): Promise<Canary[]> {
  const rows = await db.prisma.$queryRaw<{ item: JsonRow }[]>`
    SELECT to_json(page) AS item FROM (
      SELECT ${columns} FROM canaries c WHERE ${within(db)} ORDER BY c.created_at DESC, c.id DESC
      LIMIT ${pageLimit(query.limit ?? 20)}) page`;
  return rows.map(({ item }) => tidy(item));
}

const effectRank = Prisma.sql`array_position(ARRAY['breaks','cannot-tell','stays-bad','repairs','moves','same'], r.effect)`;

/** A page of a canary's machines: those that would break first, then by name. */
export async function listCanaryMachines(
  db: FleetReader,
  id: string,
  query: { effect?: CanaryEffect; machineId?: string; probed?: boolean; cursor?: string | null; limit?: number } = {},
): Promise<Page<CanaryMachine>> {
  const limit = pageLimit(query.limit);
  const where = [
    Prisma.sql`r.canary_id = ${isUuid(id) ? id : null}::uuid`,
    Prisma.sql`EXISTS (SELECT FROM canaries c WHERE c.id = r.canary_id AND ${within(db)})`,
    ofMachines(db, Prisma.sql`r.machine_id`),
  ];
  if (query.effect !== undefined) where.push(Prisma.sql`r.effect = ${query.effect}`);
  if (query.machineId !== undefined)
    where.push(Prisma.sql`r.machine_id = ${isUuid(query.machineId) ? query.machineId : null}::uuid`);
  if (query.probed) where.push(Prisma.sql`r.probe_state <> 'none'`);
  const condition = Prisma.join(where, " AND ");
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [order, name, machine] = decodeCursor(query.cursor, 3);
    if (!Number.isSafeInteger(order) || typeof name !== "string")
      throw new CursorError(`cursor "${query.cursor.slice(0, 40)}" is not one of this list; start without it`);
    after = Prisma.sql`(${effectRank}, m.sort_name, m.id) > (${order}::int, ${name}, ${cursorId(machine)}::uuid)`;
  }
  type Item = CanaryMachine & { rank: number; sortName: string };
  const [answer] = await db.prisma.$queryRaw<{ asOf: Date; total: number; items: Item[] }[]>`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM canary_results r WHERE ${condition}) AS total,
      (SELECT coalesce(json_agg(page), '[]') FROM (
        SELECT m.id AS "machineId", m.hostname, m.site, m.simulated, r.effect, r.targets,
          json_build_object('state', r.probe_state, 'reason', r.probe_reason) AS probe, ${effectRank} AS rank,
          m.sort_name AS "sortName"
        FROM canary_results r JOIN ${machines(db)} m ON m.id = r.machine_id
        WHERE ${condition} AND ${after} ORDER BY ${effectRank}, m.sort_name, m.id LIMIT ${limit + 1}) page) AS items`;
  if (!answer) throw new Error("the database gave no answer to a query that always has one row");
  const page = answer.items.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ rank: _, sortName: __, ...item }) => item),
    nextCursor: answer.items.length > limit && last ? encodeCursor([last.rank, last.sortName, last.machineId]) : null,
    total: answer.total,
    asOf: answer.asOf.toISOString(),
  };
}

/** Ends a canary early: nothing more is evaluated or asked. False when there is none under way. */
export async function cancelCanary(db: Fleet, id: string, by: { actor: string; now: Date }): Promise<boolean> {
  if (!isUuid(id)) return false;
  return db.prisma.$transaction(async (prisma) => {
    const count = await prisma.$executeRaw`
      UPDATE canaries c SET state = 'cancelled', finished_at = ${by.now}
      WHERE id = ${id}::uuid AND ${within(db)} AND state IN ('queued', 'evaluating', 'probing')`;
    if (count === 0) return false;
    await writeAudit({ prisma }, { actor: by.actor, action: "canary.cancel", subject: id });
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return true;
  });
}

// What follows is for the collector that evaluates.

/** A canary as its evaluator holds it. */
export interface CanaryWork {
  id: string;
  state: "evaluating";
  proposal: Proposal;
  /** Null until the first collector has it. */
  script: string | null;
  q: string;
  site: string | null;
  probe: string[];
  machines: number | null;
  afterMachine: string | null;
  /** The part of the fleet that it is of. */
  scope: Scope;
}

/**
 * Takes a canary that waits, or one whose collector went silent, for `leaseMs` from now; null when there is none. What
 * was evaluated before is kept.
 */
export async function takeCanary(
  db: Database,
  by: { collectorId: string; now: Date; leaseMs: number },
): Promise<CanaryWork | null> {
  const [work] = await db.prisma.$queryRaw<(Omit<CanaryWork, "scope"> & ScopeColumns)[]>`
    UPDATE canaries SET state = 'evaluating', lease_by = ${by.collectorId},
      lease_until = ${new Date(by.now.getTime() + by.leaseMs)}
    WHERE id = (
      SELECT id FROM canaries
      WHERE state = 'queued'
        OR (state = 'evaluating' AND (lease_until <= ${by.now} OR lease_by = ${by.collectorId}))
      ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id::text, state, proposal, script, q, site, probe::text[], machines, after_machine::text AS "afterMachine",
      scoped, scope_sites AS "scopeSites", scope_tags AS "scopeTags"`;
  if (!work) return null;
  const { scoped, scopeSites, scopeTags, ...rest } = work;
  return { ...rest, scope: fromScopeColumns({ scoped, scopeSites, scopeTags }) };
}

/** Notes what is judged: the script as it is, and of how many machines. False when the canary was taken away. */
export async function beginCanary(
  db: Database,
  id: string,
  input: { collectorId: string; script: string | null; sha256: string | null; machines: number },
): Promise<boolean> {
  const count = await db.prisma.$executeRaw`
    UPDATE canaries SET script = ${input.script === null ? null : toSqlText(input.script)},
      script_sha256 = ${input.sha256}, machines = ${input.machines}
    WHERE id = ${id}::uuid AND state = 'evaluating' AND lease_by = ${input.collectorId}`;
  return count > 0;
}

/** A machine with what its evaluation needs. */
export interface CanaryCandidate {
  machineId: string;
  site: string | null;
  simulated: boolean;
  facts: MachineFacts;
}

/** The next machines of a canary in order of id, with their facts. */
export function nextCandidates(
  db: FleetReader,
  query: { terms: readonly FilterTerm[]; site: string | null; after: string | null; limit: number },
): Promise<CanaryCandidate[]> {
  const after = query.after === null ? Prisma.sql`TRUE` : Prisma.sql`m.id > ${query.after}::uuid`;
  return db.prisma.$queryRaw<CanaryCandidate[]>`
    SELECT m.id::text AS "machineId", m.site, m.simulated, s.state -> 'facts' AS facts
    FROM ${machines(db)} m JOIN machine_states s ON s.machine_id = m.id
    WHERE ${machineWhere({ terms: query.terms, site: query.site })} AND ${after} ORDER BY m.id LIMIT ${query.limit}`;
}

/** These machines with their facts, as far as they are not revoked. */
export function candidatesById(db: FleetReader, machineIds: readonly string[]): Promise<CanaryCandidate[]> {
  return db.prisma.$queryRaw<CanaryCandidate[]>`
    SELECT m.id::text AS "machineId", m.site, m.simulated, s.state -> 'facts' AS facts
    FROM ${machines(db)} m JOIN machine_states s ON s.machine_id = m.id
    WHERE m.id = ANY (${[...machineIds]}::uuid[]) AND m.revoked_at IS NULL`;
}

/** Machines whose EWS goes a way at present, for what they see on it: the freshest of each kind first. */
export function peersOnRoute(
  db: Reader,
  query: { route: string; simulated: boolean; seenSince: Date; limit: number },
): Promise<CanaryCandidate[]> {
  return db.prisma.$queryRaw<CanaryCandidate[]>`
    SELECT m.id::text AS "machineId", m.site, m.simulated, s.state -> 'facts' AS facts
    FROM machines m JOIN machine_states s ON s.machine_id = m.id
    WHERE m.route = ${query.route} AND m.simulated = ${query.simulated} AND m.revoked_at IS NULL AND m.approved
      AND m.cloned_at IS NULL AND m.last_seen_at >= ${query.seenSince}
    ORDER BY m.last_seen_at DESC, m.id LIMIT ${query.limit}`;
}

export interface CanaryOutcome {
  machineId: string;
  effect: CanaryEffect;
  targets: CanaryTarget[];
  /** Routes that this machine is to probe; empty: none. */
  routes: CanaryRoute[];
}

/** Stores a page of outcomes and prolongs the lease. False when the canary was cancelled or taken away: then stop. */
export async function saveCanaryPage(
  db: Database,
  id: string,
  page: { collectorId: string; leaseUntil: Date; outcomes: readonly CanaryOutcome[]; after: string },
): Promise<boolean> {
  const rows = toSqlJson(
    page.outcomes.map(({ routes, ...outcome }) => ({
      ...outcome,
      routes: routes.length > 0 ? routes : null,
      probe: routes.length > 0 ? "queued" : "none",
    })),
  );
  return db.prisma.$transaction(async (prisma) => {
    const count = await prisma.$executeRaw`
      UPDATE canaries SET evaluated = evaluated + ${page.outcomes.length}, after_machine = ${page.after}::uuid,
        lease_until = ${page.leaseUntil}
      WHERE id = ${id}::uuid AND state = 'evaluating' AND lease_by = ${page.collectorId}`;
    if (count === 0) return false;
    await prisma.$executeRaw`
      INSERT INTO canary_results (canary_id, machine_id, effect, targets, routes, probe_state)
      SELECT ${id}::uuid, m.id, x.effect, x.targets, nullif(x.routes, 'null'::jsonb), x.probe
      FROM jsonb_to_recordset(${rows}::jsonb) AS x("machineId" uuid, effect text, targets jsonb, routes jsonb, probe text)
      JOIN machines m ON m.id = x."machineId"
      ON CONFLICT (canary_id, machine_id) DO NOTHING`;
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return true;
  });
}

/** Ends the evaluation: `failed` with why, else on to the probes, or done where nothing is to be probed. */
export async function endEvaluation(
  db: Database,
  id: string,
  end: { collectorId: string; now: Date; failed?: boolean; reason: string | null },
): Promise<void> {
  await db.prisma.$executeRaw`
    UPDATE canaries c SET reason = ${end.reason === null ? null : toSqlText(end.reason.slice(0, 512))},
      state = CASE WHEN ${end.failed ?? false} THEN 'failed' WHEN x.waits THEN 'probing' ELSE 'done' END,
      finished_at = CASE WHEN ${end.failed ?? false} OR NOT x.waits THEN ${end.now}::timestamptz END
    FROM (SELECT EXISTS (SELECT FROM canary_results WHERE canary_id = ${id}::uuid AND probe_state = 'queued') AS waits) x
    WHERE c.id = ${id}::uuid AND c.state = 'evaluating' AND c.lease_by = ${end.collectorId}`;
  await db.prisma.$executeRaw`SELECT pg_notify('lynceus_work', '')::text, pg_notify('lynceus', '')::text`;
}

/** What a machine was asked to probe, by the command that asked. */
export async function canaryOfCommand(
  db: Reader,
  commandId: string,
  machineId: string,
): Promise<{ canaryId: string; targets: CanaryTarget[]; routes: CanaryRoute[] } | null> {
  if (!isUuid(commandId)) return null;
  const [row] = await db.prisma.$queryRaw<
    { canaryId: string; targets: CanaryTarget[]; routes: CanaryRoute[] | null }[]
  >`
    SELECT r.canary_id::text AS "canaryId", r.targets, r.routes FROM canary_results r
    WHERE r.command_id = ${commandId}::uuid AND r.machine_id = ${machineId}::uuid AND r.probe_state <> 'done'`;
  return row ? { ...row, routes: row.routes ?? [] } : null;
}

/** Stores what a machine saw on the proposed routes. It changes nothing but the canary. False when it was known already. */
export async function saveCanaryAnswer(
  db: Database,
  answer: {
    commandId: string;
    machineId: string;
    effect: CanaryEffect;
    targets: CanaryTarget[];
    reason: string | null;
  },
): Promise<boolean> {
  const count = await db.prisma.$executeRaw`
    UPDATE canary_results SET effect = ${answer.effect}, targets = ${toSqlJson(answer.targets)}::jsonb,
      probe_state = 'done', probe_reason = ${answer.reason === null ? null : toSqlText(answer.reason.slice(0, 512))}
    WHERE command_id = ${answer.commandId}::uuid AND machine_id = ${answer.machineId}::uuid AND probe_state <> 'done'`;
  if (count > 0)
    await db.prisma.$executeRaw`SELECT pg_notify('lynceus_work', '')::text, pg_notify('lynceus', '')::text`;
  return count > 0;
}

/** How long machines of a canary may take to answer or to come back. */
const probingMs = 15 * 60_000;

/** Gives up probes that cannot be answered any more, and ends canaries that wait for none. True when anything changed. */
export async function settleCanaries(db: Database, now: Date): Promise<boolean> {
  const lost = await db.prisma.$executeRaw`
    UPDATE canary_results r SET probe_state = CASE WHEN c.state = 'refused' THEN 'refused' ELSE 'expired' END,
      probe_reason = coalesce(c.reason, 'no answer from the machine')
    FROM commands c, canaries k
    WHERE k.id = r.canary_id AND k.state = 'probing' AND r.probe_state = 'sent' AND c.id = r.command_id
      AND (c.state IN ('refused', 'expired')
        -- Done without an answer that could be read.
        OR (c.state = 'done' AND c.updated_at <= ${new Date(now.getTime() - 60_000)}))`;
  const away = await db.prisma.$executeRaw`
    UPDATE canary_results r SET probe_state = 'expired', probe_reason = 'the machine was not connected'
    FROM canaries k WHERE k.id = r.canary_id AND k.state = 'probing' AND r.probe_state IN ('queued', 'sent')
      AND k.created_at <= ${new Date(now.getTime() - probingMs)}`;
  const ended = await db.prisma.$executeRaw`
    UPDATE canaries k SET state = 'done', finished_at = ${now}
    WHERE k.state = 'probing' AND NOT EXISTS (
      SELECT FROM canary_results r WHERE r.canary_id = k.id AND r.probe_state IN ('queued', 'sent'))`;
  const changed = lost + away + ended > 0;
  if (changed) await db.prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
  return changed;
}
