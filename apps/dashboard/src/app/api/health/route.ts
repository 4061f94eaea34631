import { database } from "../../../lib/db.ts";

/** For health checks: 200 when the dashboard answers and its database does, else 503. It says nothing else. */
export async function GET(): Promise<Response> {
  const ok = await database().prisma.$queryRaw`SELECT 1`.then(() => true).catch(() => false);
  return Response.json({ ok }, { status: ok ? 200 : 503, headers: { "cache-control": "no-store" } });
}
