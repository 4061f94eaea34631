import { randomUUID } from "node:crypto";
import type { Database } from "./client.ts";
import { initSetting } from "./settings.ts";

/**
 * The first eight digits of the installation's id: what its incidents are told apart by from another's that speaks to the
 * same receiver. Made once, by whoever asks first.
 */
export async function installationId(db: Database): Promise<string> {
  const stored = (await initSetting(db, "installation", { id: randomUUID() })) as { id?: unknown } | null;
  const text = typeof stored?.id === "string" ? stored.id.replace(/[^0-9a-z]/gi, "") : "";
  if (text.length < 8) throw new Error('setting "installation" of the database is damaged; restore it from a backup');
  return text.slice(0, 8);
}
