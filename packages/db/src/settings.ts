import type { Database, Reader } from "./client.ts";
import { toSqlJson } from "./sql-text.ts";

/** A small fact of the installation, or null. Whoever reads it parses it: it is JSON of any shape. */
export async function getSetting(db: Reader, key: string): Promise<unknown> {
  return (await db.prisma.setting.findUnique({ where: { key } }))?.value ?? null;
}

/** Stores a setting in place of what was there. */
export async function setSetting(db: Reader, key: string, value: unknown): Promise<void> {
  const json = JSON.parse(toSqlJson(value));
  await db.prisma.setting.upsert({ where: { key }, create: { key, value: json }, update: { value: json } });
}

/** Stores a setting only where there is none yet; returns the one that is stored after it. */
export async function initSetting(db: Database, key: string, value: unknown): Promise<unknown> {
  await db.prisma.$executeRaw`
    INSERT INTO settings (key, value, updated_at) VALUES (${key}, ${toSqlJson(value)}::jsonb, now())
    ON CONFLICT (key) DO NOTHING`;
  return getSetting(db, key);
}

/** Removes a setting and returns it, or null. Of many at once one gets it: a link that works once. */
export async function takeSetting(db: Reader, key: string): Promise<unknown> {
  const rows = await db.prisma.$queryRaw<{ value: unknown }[]>`DELETE FROM settings WHERE key = ${key} RETURNING value`;
  return rows[0]?.value ?? null;
}
