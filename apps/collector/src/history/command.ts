import { userInfo } from "node:os";
import { openDatabase } from "@lynceus/db/client";
import { oldestObservations } from "@lynceus/db/history";
import { formatCount, formatDuration, safeText } from "@lynceus/protocol/present";
import type { Difference } from "./compare.ts";
import { parseRediagnose, UsageError, usage } from "./options.ts";
import { rediagnose } from "./rediagnose.ts";

export interface CommandContext {
  readonly databaseUrl: string | undefined;
  readonly now: () => Date;
  readonly out: (text: string) => void;
}

/** Who runs the command; in a container the user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}

const minute = (at: number) => `${new Date(at).toISOString().slice(0, 16)}Z`;
const verbs = { raised: "+ raised ", cleared: "- cleared", changed: "~ changed" } as const;

function line({ kind, pattern, since, clearedAt, cause, what }: Difference): string {
  const time = `${minute(since)} – ${clearedAt === null ? "open" : minute(clearedAt)}`;
  return `    ${verbs[kind]}  ${pattern}  ${time}  ${safeText(what ?? cause)}\n`;
}

/** `lynceus rediagnose …`. Returns the exit code: 0 done, 1 failed, 2 asked for what cannot be done. */
export async function runRediagnose(args: readonly string[], context: CommandContext): Promise<number> {
  const { out, now } = context;
  const started = now();
  const options = parseRediagnose(args, started);
  if (!options) {
    out(usage);
    return 0;
  }
  if (!context.databaseUrl || !/^postgres(ql)?:\/\//.test(context.databaseUrl))
    throw new UsageError(
      "DATABASE_URL is not set to a PostgreSQL address; use e.g. postgresql://lynceus:secret@db.example.org:5432/lynceus",
    );
  const db = openDatabase({ url: context.databaseUrl });
  try {
    const oldest = await oldestObservations(db);
    if (!oldest) throw new UsageError("no observation is stored, so nothing can be judged; let agents report first");
    if (options.to <= oldest)
      throw new UsageError(
        `--to "${options.to.toISOString()}" is before the oldest observations that are kept (${oldest.toISOString().slice(0, 10)}); use a later period, e.g. --from ${oldest.toISOString().slice(0, 10)}`,
      );
    const from = options.from < oldest ? oldest : options.from;
    if (from > options.from && !options.json)
      out(`Observations are kept since ${oldest.toISOString().slice(0, 10)}: the period begins there.\n`);
    let listed = 0;
    const result = await rediagnose({
      db,
      from,
      to: options.to,
      now: started,
      dryRun: options.dryRun,
      actor: `command line: ${userName()}`,
      machineId: options.machineId,
      onMachine: (machine, differences) => {
        if (listed++ >= options.lines) return;
        if (options.json) out(`${JSON.stringify({ machine, differences: differences.map(toJson) })}\n`);
        else out(`  ${safeText(machine.hostname)} (${machine.id})\n${differences.map(line).join("")}`);
      },
    });
    const { machines, observations, differing, patterns, written } = result;
    if (options.json) {
      const period = { from: from.toISOString(), to: options.to.toISOString() };
      out(`${JSON.stringify({ summary: { ...period, dryRun: options.dryRun, ...result } })}\n`);
      return 0;
    }
    if (listed > options.lines) out(`  and ${formatCount(listed - options.lines)} more machines; --lines lists them\n`);
    for (const { pattern, raised, cleared, changed } of patterns)
      out(
        `${pattern}: ${formatCount(raised)} raised, ${formatCount(cleared)} cleared, ${formatCount(changed)} changed\n`,
      );
    const took = formatDuration(now().getTime() - started.getTime());
    out(
      `${formatCount(machines)} machines and ${formatCount(observations)} observations judged again in ${took}: ` +
        `${differing === 0 ? "nothing would differ" : `${formatCount(differing)} machines differ`}. ` +
        `${options.dryRun ? "Nothing was written." : `${formatCount(written)} findings of the history were corrected; see the audit.`}\n`,
    );
    return 0;
  } finally {
    await db.close();
  }
}

const toJson = ({ correction: _, ...difference }: Difference) => ({
  ...difference,
  since: new Date(difference.since).toISOString(),
  clearedAt: difference.clearedAt === null ? null : new Date(difference.clearedAt).toISOString(),
});
