import type { Database } from "./client.ts";

/*
 * Probes that people ask for in bulk reach Exchange at a bounded rate, however many ask and however many collectors
 * there are: who is next, and when, is decided in the database alone.
 */

/** Serialises all collectors. */
const lockKey = 72_707_381;

interface Due {
  kind: "canary" | "verification";
  runId: string;
  machineId: string;
}

/**
 * Asks the machines whose turn it is: those of canaries first, since they are few, then those of verifications, oldest
 * run first, as far as they are connected. At most `perSecond` machines a second over all collectors; time that nobody
 * used is not saved up. Returns how many were asked.
 */
export async function takeTurns(db: Database, options: { now: Date; perSecond: number }): Promise<number> {
  const { now, perSecond } = options;
  return db.prisma.$transaction(async (prisma) => {
    const [lock] = await prisma.$queryRaw<{ got: boolean }[]>`SELECT pg_try_advisory_xact_lock(${lockKey}) AS got`;
    if (!lock?.got) return 0;
    const stored = await prisma.setting.findUnique({ where: { key: "turns" } });
    const last = stored === null ? Number.NEGATIVE_INFINITY : Number((stored.value as { at?: unknown } | null)?.at);
    const elapsed = Math.min(Math.max(0, now.getTime() - last), Math.max(1000, 1000 / perSecond));
    const allowed = Math.floor((elapsed / 1000) * perSecond + 1e-9);
    if (allowed < 1) return 0;
    const due = await prisma.$queryRaw<Due[]>`
      SELECT * FROM (
        (SELECT 'canary' AS kind, r.canary_id::text AS "runId", r.machine_id::text AS "machineId"
          FROM canaries k JOIN canary_results r ON r.canary_id = k.id AND r.probe_state = 'queued'
          JOIN machines m ON m.id = r.machine_id AND m.connected_to IS NOT NULL AND m.revoked_at IS NULL
          WHERE k.state = 'probing' ORDER BY k.created_at, r.machine_id LIMIT ${allowed})
        UNION ALL
        (SELECT 'verification', v.verification_id::text, v.machine_id::text
          FROM fix_verifications k JOIN fix_verification_machines v ON v.verification_id = k.id AND v.state = 'waiting'
          JOIN machines m ON m.id = v.machine_id AND m.connected_to IS NOT NULL AND m.revoked_at IS NULL
          WHERE k.state = 'running' ORDER BY k.created_at, v.machine_id LIMIT ${allowed})) due
      LIMIT ${allowed}`;
    if (due.length === 0) return 0;
    const value = { at: now.getTime() };
    await prisma.setting.upsert({
      where: { key: "turns" },
      create: { key: "turns", value },
      update: { value },
    });
    const of = (kind: Due["kind"]) => {
      const rows = due.filter((one) => one.kind === kind);
      return { runs: rows.map((row) => row.runId), machines: rows.map((row) => row.machineId) };
    };
    const canaries = of("canary");
    await prisma.$executeRaw`
      WITH asked AS (
        UPDATE canary_results r SET probe_state = 'sent', command_id = gen_random_uuid()
        FROM unnest(${canaries.runs}::uuid[], ${canaries.machines}::uuid[]) AS d(run, machine)
        WHERE r.canary_id = d.run AND r.machine_id = d.machine
        RETURNING r.command_id, r.machine_id, r.canary_id, r.routes)
      INSERT INTO commands (id, machine_id, command, created_at, created_by, updated_at, routes)
      SELECT a.command_id, a.machine_id, 'canary', ${now}, k.created_by, ${now}, a.routes
      FROM asked a JOIN canaries k ON k.id = a.canary_id`;
    const verifications = of("verification");
    await prisma.$executeRaw`
      WITH asked AS (
        UPDATE fix_verification_machines v SET state = 'asked', asked_at = ${now}, command_id = gen_random_uuid()
        FROM unnest(${verifications.runs}::uuid[], ${verifications.machines}::uuid[]) AS d(run, machine)
        WHERE v.verification_id = d.run AND v.machine_id = d.machine
        RETURNING v.command_id, v.machine_id, v.verification_id),
      paced AS (
        UPDATE fix_verifications SET per_second = ${perSecond} WHERE id IN (SELECT verification_id FROM asked))
      INSERT INTO commands (id, machine_id, command, created_at, created_by, updated_at)
      SELECT a.command_id, a.machine_id, 'check-now', ${now}, k.created_by, ${now}
      FROM asked a JOIN fix_verifications k ON k.id = a.verification_id`;
    await prisma.$executeRaw`
      SELECT pg_notify('lynceus_command', id)::text FROM unnest(${due.map((one) => one.machineId)}::text[]) AS id
      UNION ALL SELECT pg_notify('lynceus', '')::text`;
    return due.length;
  });
}

/** Whether anything is under way that wants turns: spares the ticks of an idle fleet. */
export async function workIsUnderWay(db: Database): Promise<{ canaries: boolean; turns: boolean }> {
  const [row] = await db.prisma.$queryRaw<{ canaries: boolean; turns: boolean }[]>`
    SELECT EXISTS (SELECT FROM canaries WHERE state IN ('queued', 'evaluating')) AS canaries,
      EXISTS (SELECT FROM canaries WHERE state = 'probing')
        OR EXISTS (SELECT FROM fix_verifications WHERE state = 'running') AS turns`;
  return row ?? { canaries: false, turns: false };
}
