import { parseArgs } from "node:util";

export interface RediagnoseArguments {
  readonly from: Date;
  readonly to: Date;
  readonly dryRun: boolean;
  readonly machineId: string | null;
  readonly json: boolean;
  /** Machines that are listed; the counts are of all. */
  readonly lines: number;
}

export const usage = `lynceus rediagnose --from TIME [--to TIME] [--dry-run] [options]

  Runs today's patterns over the stored observations of a period and shows what would differ: findings that are raised,
  cleared or changed, per pattern and machine. Without --dry-run the history of findings is corrected, each marked as
  judged again, with an entry in the audit. Present findings are the collector's and stay as they are; what turns on a
  machine's peers (fleet patterns) or on people's reports is not judged again.

  --from TIME       beginning of the period: 2026-11-20, 2026-11-20T08:00Z, or so long ago: 7d, 36h
  --to TIME         its end, in the same forms; now when not given
  --dry-run         show, and write nothing
  --machine ID      one machine only
  --lines N         machines listed, 0 to 100000 (50)
  --json            one JSON object a line: each machine, then the summary
  --help            this text

  Exit: 0 done, 1 failed, 2 asked for what cannot be done.

Examples:
  lynceus rediagnose --from 7d --dry-run
  lynceus rediagnose --from 2026-11-20 --to 2026-11-21T12:00Z
  lynceus rediagnose --from 24h --dry-run --json
`;

/** What the command line asks for and cannot be done: one line with the value, the rule and an example. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function time(option: string, text: string, now: Date): Date {
  const ago = /^(\d{1,4})([mhd])$/.exec(text);
  if (ago) return new Date(now.getTime() - Number(ago[1]) * (units[ago[2] ?? ""] ?? 0));
  const iso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const at = new Date(text);
  if (!iso || Number.isNaN(at.getTime()))
    throw new UsageError(
      `--${option} "${text.slice(0, 60)}" is no time; use a date, a time with its zone, or so long ago, e.g. --${option} 2026-11-20T08:00Z or --${option} 7d`,
    );
  return at;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @returns null when only help was asked for. @throws UsageError */
export function parseRediagnose(args: readonly string[], now: Date): RediagnoseArguments | null {
  let values: {
    from?: string;
    to?: string;
    "dry-run"?: boolean;
    machine?: string;
    lines?: string;
    json?: boolean;
    help?: boolean;
  };
  try {
    ({ values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        from: { type: "string" },
        to: { type: "string" },
        "dry-run": { type: "boolean" },
        machine: { type: "string" },
        lines: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean" },
      },
    }));
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new UsageError(`${line}; see lynceus rediagnose --help, e.g. lynceus rediagnose --from 7d --dry-run`);
  }
  if (values.help) return null;
  if (values.from === undefined)
    throw new UsageError("--from is missing: say where the period begins, e.g. lynceus rediagnose --from 7d --dry-run");
  const from = time("from", values.from, now);
  const to = values.to === undefined ? now : time("to", values.to, now);
  if (from >= now)
    throw new UsageError(
      `--from "${values.from}" is not in the past; only what was observed can be judged, e.g. --from 7d`,
    );
  if (to <= from)
    throw new UsageError(
      `--to "${values.to}" is not after --from "${values.from}"; e.g. --from 2026-11-20 --to 2026-11-21`,
    );
  if (values.machine !== undefined && !uuid.test(values.machine))
    throw new UsageError(
      `--machine "${values.machine.slice(0, 60)}" is no machine's id; use e.g. --machine 0195f0a0-0000-4000-8000-000000000001`,
    );
  const lines = values.lines ?? "50";
  if (!/^\d{1,6}$/.test(lines) || Number(lines) > 100_000)
    throw new UsageError(`--lines "${lines}" is not a whole number from 0 to 100000; use e.g. --lines 200`);
  return {
    from,
    to: to > now ? now : to,
    dryRun: values["dry-run"] ?? false,
    machineId: values.machine?.toLowerCase() ?? null,
    json: values.json ?? false,
    lines: Number(lines),
  };
}
