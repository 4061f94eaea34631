import { randomUUID } from "node:crypto";
import type { FilterTerm } from "@lynceus/protocol/filter";
import {
  type NewVerification,
  type Verification,
  type VerificationMachine,
  type VerificationMachineState,
  verificationMachineStates,
} from "@lynceus/protocol/read-api-tools";
import { writeAudit } from "./audit.ts";
import { type Database, Prisma } from "./client.ts";
import { CursorError, cursorId, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import { machineWhere, type Page } from "./machines.ts";
import { type Fleet, type FleetReader, machines, madeWithin, ofMachines, toScopeColumns } from "./scope.ts";
import { toSqlText } from "./sql-text.ts";

/** How long machines that are away may still come back and answer. */
const deadlineMs = 30 * 60_000;

interface JsonRow extends Omit<Verification, "counts" | "remaining"> {
  counts: Partial<Record<VerificationMachineState, number>>;
}

const columns = Prisma.sql`
  v.id, v.created_at AS "createdAt", v.created_by AS "createdBy", v.finished_at AS "finishedAt", v.state, v.pattern,
  v.cause, v.cause_id AS "causeId", v.q, v.site, v.per_second AS "machinesPerSecond", v.deadline,
  (SELECT count(*)::int FROM fix_verification_machines c WHERE c.verification_id = v.id) AS machines,
  (SELECT coalesce(json_object_agg(c.state, c.machines), '{}') FROM (
    SELECT state, count(*)::int AS machines FROM fix_verification_machines WHERE verification_id = v.id
    GROUP BY state) c) AS counts`;

/** A verification `v` is seen by who sees all of the part that it was made for. */
const within = (db: FleetReader) => madeWithin(db, Prisma.sql`v`);

const iso = (at: string | null) => (at === null ? null : new Date(at).toISOString());

function tidy(row: JsonRow): Verification {
  const counts = Object.fromEntries(
    verificationMachineStates.map((state) => [state, row.counts[state] ?? 0]),
  ) as Verification["counts"];
  return {
    ...row,
    createdAt: new Date(row.createdAt).toISOString(),
    finishedAt: iso(row.finishedAt),
    deadline: new Date(row.deadline).toISOString(),
    counts,
    remaining: row.machines - counts.fixed - counts.other,
  };
}

/**
 * Starts to probe a cohort again: the machines that are in it at this moment. Collectors hear `lynceus_work`, and ask
 * them at the rate that Exchange may see. Audited. An empty cohort is done at once.
 * @param terms the parsed form of `input.q`. Throws a FilterFieldError for what the table cannot answer.
 */
export async function createVerification(
  db: Fleet,
  input: NewVerification,
  terms: readonly FilterTerm[],
  by: { actor: string; now: Date },
  /** These machines alone, instead of all that match. */
  ids: readonly string[] | null = null,
): Promise<Verification> {
  const id = randomUUID();
  const deadline = new Date(by.now.getTime() + deadlineMs);
  const { pattern, cause, causeId, q, site } = input;
  const scope = toScopeColumns(db.scope);
  await db.prisma.$transaction(async (prisma) => {
    await prisma.$executeRaw`
      INSERT INTO fix_verifications (id, created_at, created_by, state, pattern, cause, cause_id, q, site, deadline, scoped,
        scope_sites, scope_tags)
      VALUES (${id}::uuid, ${by.now}, ${by.actor}, 'running', ${pattern}, ${cause === null ? null : toSqlText(cause)},
        ${causeId}::uuid, ${toSqlText(q)}, ${site === null ? null : toSqlText(site)}, ${deadline}, ${scope.scoped}, ${scope.scopeSites}::text[],
        ${scope.scopeTags}::text[])`;
    const where = [machineWhere({ terms, site })];
    // An incident is those whose primary finding it is; a pattern alone, all on whom it is raised.
    if (pattern !== null && cause !== null)
      where.push(Prisma.sql`m.primary_pattern = ${pattern} AND m.primary_cause = ${cause}`);
    else if (pattern !== null) where.push(Prisma.sql`m.patterns @> ARRAY[${pattern}]::text[]`);
    if (ids !== null) where.push(Prisma.sql`m.id = ANY (${ids.filter(isUuid)}::uuid[])`);
    if (causeId !== null)
      where.push(
        Prisma.sql`m.id IN (SELECT machine_id FROM cause_members WHERE cause_id = ${causeId}::uuid AND until IS NULL)`,
      );
    const count = await prisma.$executeRaw`
      INSERT INTO fix_verification_machines (verification_id, machine_id, state)
      SELECT ${id}::uuid, m.id, 'waiting' FROM ${machines(db)} m
      WHERE ${Prisma.join(where, " AND ")} AND m.approved AND m.status <> 'signed-off'`;
    if (count === 0)
      await prisma.$executeRaw`
        UPDATE fix_verifications SET state = 'done', finished_at = ${by.now} WHERE id = ${id}::uuid`;
    await writeAudit(
      { prisma },
      { actor: by.actor, action: "verification.create", subject: id, after: { ...input, machines: count } },
    );
    await prisma.$executeRaw`SELECT pg_notify('lynceus_work', '')::text, pg_notify('lynceus', '')::text`;
  });
  const made = await getVerification(db, id);
  if (!made) throw new Error(`verification ${id} is gone right after it was made`);
  return made;
}

/** One verification with its counts, or null. */
export async function getVerification(db: FleetReader, id: string): Promise<Verification | null> {
  if (!isUuid(id)) return null;
  const [row] = await db.prisma.$queryRaw<{ item: JsonRow }[]>`
    SELECT to_json(one) AS item FROM (SELECT ${columns} FROM fix_verifications v WHERE v.id = ${id}::uuid AND ${within(db)}) one`;
  return row ? tidy(row.item) : null;
}

/** The newest verifications; of one pattern, cause text, shared cause or filter where asked so. */
export async function listVerifications(
  db: FleetReader,
  query: { pattern?: string; cause?: string; causeId?: string; q?: string; limit?: number } = {},
): Promise<Verification[]> {
  const where = [within(db)];
  if (query.pattern !== undefined) where.push(Prisma.sql`v.pattern = ${query.pattern}`);
  if (query.cause !== undefined) where.push(Prisma.sql`v.cause = ${query.cause}`);
  if (query.causeId !== undefined)
    where.push(Prisma.sql`v.cause_id = ${isUuid(query.causeId) ? query.causeId : null}::uuid`);
  if (query.q !== undefined) where.push(Prisma.sql`v.q = ${query.q}`);
  const rows = await db.prisma.$queryRaw<{ item: JsonRow }[]>`
    SELECT to_json(page) AS item FROM (
      SELECT ${columns} FROM fix_verifications v WHERE ${Prisma.join(where, " AND ")}
      ORDER BY v.created_at DESC, v.id DESC LIMIT ${pageLimit(query.limit ?? 20)}) page`;
  return rows.map(({ item }) => tidy(item));
}

/** A page of a verification's machines, those still affected first, then by name. */
export async function listVerificationMachines(
  db: FleetReader,
  id: string,
  query: { state?: VerificationMachineState; cursor?: string | null; limit?: number } = {},
): Promise<Page<VerificationMachine>> {
  const limit = pageLimit(query.limit);
  const of = Prisma.sql`v.verification_id = ${isUuid(id) ? id : null}::uuid AND ${ofMachines(db, Prisma.sql`v.machine_id`)}
    AND EXISTS (SELECT FROM fix_verifications k WHERE k.id = v.verification_id AND ${madeWithin(db, Prisma.sql`k`)})`;
  const state = query.state === undefined ? Prisma.sql`TRUE` : Prisma.sql`v.state = ${query.state}`;
  const rank = Prisma.sql`array_position(ARRAY['still','cannot-tell','unreachable','asked','waiting','other','fixed'], v.state)`;
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [order, name, machine] = decodeCursor(query.cursor, 3);
    if (!Number.isSafeInteger(order) || typeof name !== "string")
      throw new CursorError(`cursor "${query.cursor.slice(0, 40)}" is not one of this list; start without it`);
    after = Prisma.sql`(${rank}, m.sort_name, m.id) > (${order}::int, ${name}, ${cursorId(machine)}::uuid)`;
  }
  type Item = VerificationMachine & { rank: number; sortName: string };
  const [answer] = await db.prisma.$queryRaw<{ asOf: Date; total: number; items: Item[] }[]>`
    SELECT now() AS "asOf",
      (SELECT count(*)::int FROM fix_verification_machines v WHERE ${of} AND ${state}) AS total,
      (SELECT coalesce(json_agg(page), '[]') FROM (
        SELECT m.id AS "machineId", m.hostname, m.site, v.state, v.status, v.primary_pattern AS "primaryPattern",
          m.connected_to IS NOT NULL AS connected, v.asked_at AS "askedAt", v.settled_at AS "settledAt", ${rank} AS rank,
          m.sort_name AS "sortName"
        FROM fix_verification_machines v JOIN ${machines(db)} m ON m.id = v.machine_id
        WHERE ${of} AND ${state} AND ${after} ORDER BY ${rank}, m.sort_name, m.id LIMIT ${limit + 1}) page) AS items`;
  if (!answer) throw new Error("the database gave no answer to a query that always has one row");
  const page = answer.items.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ rank: _, sortName: __, ...item }) => ({
      ...item,
      askedAt: iso(item.askedAt),
      settledAt: iso(item.settledAt),
    })),
    nextCursor: answer.items.length > limit && last ? encodeCursor([last.rank, last.sortName, last.machineId]) : null,
    total: answer.total,
    asOf: answer.asOf.toISOString(),
  };
}

/** Ends a verification early: nobody more is asked. False when there is none that runs. */
export async function cancelVerification(db: Fleet, id: string, by: { actor: string; now: Date }): Promise<boolean> {
  if (!isUuid(id)) return false;
  return db.prisma.$transaction(async (prisma) => {
    const count = await prisma.$executeRaw`
      UPDATE fix_verifications v SET state = 'cancelled', finished_at = ${by.now}
      WHERE id = ${id}::uuid AND state = 'running' AND ${within(db)}`;
    if (count === 0) return false;
    await writeAudit({ prisma }, { actor: by.actor, action: "verification.cancel", subject: id });
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return true;
  });
}

/** What an answer that is `done` may lag behind, where it does not say which observations belong to it. */
const settleMs = 75_000;

/** Settles those that answered, takes back those that did not, ends what is over. True when anything changed. */
export async function settleVerifications(db: Database, now: Date): Promise<boolean> {
  const late = new Date(now.getTime() - settleMs);
  const settled = await db.prisma.$executeRaw`
    UPDATE fix_verification_machines v SET settled_at = ${now}, status = x.status, primary_pattern = x.primary_pattern,
      state = CASE WHEN x.status IN ('cannot-tell', 'stale') THEN 'cannot-tell' WHEN x.holds THEN 'still'
        WHEN x.status <> 'failing' THEN 'fixed' WHEN x.pattern IS NULL THEN 'still' ELSE 'other' END
    FROM (
      SELECT v.verification_id, v.machine_id, m.status, m.primary_pattern, r.pattern, r.pattern IS NOT NULL AND EXISTS (
        SELECT FROM jsonb_each(s.state -> 'persistence') AS one(key, value)
        WHERE split_part(one.key, '|', 1) = r.pattern AND (one.value -> 'held' ->> -1)::boolean) AS holds
      FROM fix_verification_machines v JOIN fix_verifications r ON r.id = v.verification_id AND r.state = 'running'
      JOIN commands c ON c.id = v.command_id JOIN machines m ON m.id = v.machine_id
      JOIN machine_states s ON s.machine_id = v.machine_id
      WHERE v.state = 'asked' AND c.state = 'done'
        AND ((c.seq IS NOT NULL AND s.epoch = c.epoch AND s.state_seq >= c.seq) OR c.updated_at <= ${late})) x
    WHERE v.verification_id = x.verification_id AND v.machine_id = x.machine_id`;
  // Who did not answer is asked again when it is there again, until the deadline.
  const again = await db.prisma.$executeRaw`
    UPDATE fix_verification_machines v SET state = 'waiting', command_id = NULL
    FROM commands c, fix_verifications r
    WHERE v.state = 'asked' AND c.id = v.command_id AND c.state IN ('expired', 'refused')
      AND r.id = v.verification_id AND r.state = 'running'`;
  const lost = await db.prisma.$executeRaw`
    UPDATE fix_verification_machines v SET state = 'unreachable', settled_at = ${now} FROM fix_verifications r
    WHERE r.id = v.verification_id AND r.state = 'running' AND r.deadline <= ${now} AND v.state IN ('waiting', 'asked')`;
  const ended = await db.prisma.$executeRaw`
    UPDATE fix_verifications r SET state = 'done', finished_at = ${now}
    WHERE r.state = 'running' AND NOT EXISTS (
      SELECT FROM fix_verification_machines v WHERE v.verification_id = r.id AND v.state IN ('waiting', 'asked'))`;
  const changed = settled + again + lost + ended > 0;
  if (changed) await db.prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
  return changed;
}
