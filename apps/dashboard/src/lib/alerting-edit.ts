import { AlertingConflictError, saveAlerting } from "@lynceus/db/alerting";
import { type AlertingConfig, type AlertingProblem, parseAlerting } from "@lynceus/protocol/alerting";
import { database } from "./db.ts";

/** What became of an edit of the alerting configuration. */
export type AlertingEdit =
  | { readonly saved: number; readonly problems: readonly AlertingProblem[]; readonly conflict: null }
  /** `conflict`: the version that somebody else saved meanwhile. */
  | { readonly saved: null; readonly problems: readonly AlertingProblem[]; readonly conflict: number | null };

/**
 * Saves a configuration of which a part was edited, as the next version: checked as a whole, so that a part that others
 * refer to cannot go. `base`: the version that the form was made from.
 */
export async function saveEdited(
  config: unknown,
  {
    base,
    note,
    actor,
    now,
  }: { readonly base: number; readonly note: string; readonly actor: string; readonly now: Date },
): Promise<AlertingEdit> {
  const read = parseAlerting(config);
  if (read.config === null) return { saved: null, problems: read.problems, conflict: null };
  const checked: AlertingConfig = read.config;
  try {
    const { version } = await saveAlerting(database(), { config: checked, baseVersion: base, note }, { actor, now });
    return { saved: version, problems: [], conflict: null };
  } catch (error) {
    if (error instanceof AlertingConflictError) return { saved: null, problems: [], conflict: error.version };
    throw error;
  }
}

/** A name as an id that nothing of a kind has yet: "Berlin, Sunday" is `berlin-sunday`, the second one `berlin-sunday-2`. */
export function newId(name: string, taken: readonly string[]): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 56)
    .replace(/-+$/, "");
  const id = plain === "" ? "window" : plain;
  if (!taken.includes(id)) return id;
  for (let n = 2; ; n++) if (!taken.includes(`${id}-${n}`)) return `${id}-${n}`;
}
