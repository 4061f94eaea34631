import { latencyQuantile } from "@lynceus/protocol/latency-steps";
import type { Series, SeriesAnswer, TargetHistoryQuery } from "@lynceus/protocol/series";
import { sampledSites } from "./samples.ts";
import type { Fleet } from "./scope.ts";
import { type Grid, gridOf, SeriesError, sitesToRead } from "./series-grid.ts";
import { tenMinutesDays, tenMinutesMs } from "./target-samples.ts";

/** More rows than this are not read for one answer: hours stand for ten minutes then, and above it nothing is read. */
const mostRows = 60_000;
const dayMs = 86_400_000;
const hour = 3600;

/** The whole fleet as a site: it has rows of its own. */
const fleet = "";

export interface TargetSeriesOptions {
  readonly now: Date;
  /** Targets of the policy in force: what "all" means. */
  readonly targets: readonly string[];
}

interface SummedRow {
  name: string;
  point: number;
  ok: number;
  bad: number;
  undecided: number;
}
interface StepsRow {
  name: string;
  point: number;
  steps: number[];
  answers: number[];
}

/** The one source of both questions: rows of the span, with the series and the point that each belongs to. */
const rowsOf = (table: string, by: TargetHistoryQuery["by"]) => `
  SELECT ${by === "none" ? "''" : by} AS name, floor(extract(epoch FROM at - $1::timestamptz) / $2)::int AS point, ok, bad,
    undecided, latency
  FROM ${table}
  WHERE site = ANY ($3) AND target = ANY ($4) AND via = $5 AND at >= $1 AND at < $6
    AND ($7::boolean IS NULL OR simulated = $7)`;

/** Availability, latency or answers of targets over time. Throws a SeriesError, whose message may be shown. */
export async function readTargetSeries(
  db: Fleet,
  query: TargetHistoryQuery,
  options: TargetSeriesOptions,
): Promise<SeriesAnswer> {
  const { by, measure } = query;
  const { now } = options;
  const inView = sitesToRead(db, query.site);
  const sites = inView ?? (by === "site" ? await sampledSites(db, now) : [fleet]);
  const targets = query.target ?? options.targets;
  const grid = chooseGrid(query, now, sites.length * targets.length);
  const table = grid.stepSeconds % hour === 0 ? "target_hours" : "target_samples";
  const values = [grid.start, grid.stepSeconds, sites, targets, query.via, grid.end, query.simulated ?? null];
  const name = `${table}-${by}`;
  const lines =
    measure === "latency"
      ? latencyLines(
          grid,
          query,
          (
            await db.pool.query<StepsRow>({
              name: `lynceus-latency-${name}`,
              text: `SELECT name, point, array_agg(step::int) AS steps, array_agg(answers) AS answers FROM (
                SELECT name, point, e.key AS step, sum(e.value::int)::int AS answers
                FROM (${rowsOf(table, by)}) r, jsonb_each_text(r.latency) e GROUP BY 1, 2, 3) s GROUP BY 1, 2`,
              values,
            })
          ).rows,
        )
      : countLines(
          grid,
          measure,
          (
            await db.pool.query<SummedRow>({
              name: `lynceus-answers-${name}`,
              text: `SELECT name, point, sum(ok)::int AS ok, sum(bad)::int AS bad, sum(undecided)::int AS undecided
                FROM (${rowsOf(table, by)}) r GROUP BY 1, 2`,
              values,
            })
          ).rows,
        );
  const label = (line: Line): Record<string, string> => ({ ...(by !== "none" && { [by]: line.name }), ...line.label });
  // Those that matter most; the lines of one stay together, in their order.
  const names = [...new Set([...lines].sort((a, b) => b.weight - a.weight).map((line) => line.name))];
  const shown = names.slice(0, query.series);
  return {
    asOf: now.toISOString(),
    start: grid.start.toISOString(),
    stepSeconds: grid.stepSeconds,
    points: grid.points,
    unit: measure === "availability" ? "ratio" : measure === "latency" ? "milliseconds" : "answers",
    note: noteOf(query, grid),
    series: shown.flatMap((one) =>
      lines.filter((line) => line.name === one).map((line): Series => ({ labels: label(line), values: line.values })),
    ),
    left: names.length - shown.length,
  };
}

/** Ten minutes where they are kept and few enough, else hours. */
function chooseGrid(query: TargetHistoryQuery, now: Date, perPoint: number): Grid {
  const tens = gridOf(query, now, tenMinutesMs / 1000);
  const rows = (grid: Grid, seconds: number) =>
    ((grid.end.getTime() - grid.start.getTime()) / 1000 / seconds) * perPoint;
  const kept = tens.start.getTime() >= now.getTime() - tenMinutesDays * dayMs;
  if (tens.stepSeconds % hour !== 0 && kept && rows(tens, tenMinutesMs / 1000) <= mostRows) return tens;
  const hours = gridOf(query, now, hour);
  if (rows(hours, hour) > mostRows)
    throw new SeriesError(
      `${perPoint} targets and sites over ${Math.ceil((hours.end.getTime() - hours.start.getTime()) / dayMs)} days are too much for one answer; choose fewer targets or sites, or a shorter span, e.g. target=ews`,
    );
  return hours;
}

interface Line {
  readonly name: string;
  readonly label: Record<string, string>;
  readonly values: (number | null)[];
  /** Those with more of it stand first: bad answers, or time. */
  readonly weight: number;
}

const blank = (grid: Grid) => new Array<number | null>(grid.points).fill(null);

function byName<T extends { name: string }>(rows: readonly T[]): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(row.name, [...(groups.get(row.name) ?? []), row]);
  return [...groups].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}

function countLines(grid: Grid, measure: "availability" | "answers", rows: readonly SummedRow[]): Line[] {
  return byName(rows).flatMap(([name, own]) => {
    const weight = own.reduce((total, row) => total + row.bad, 0);
    const line = (label: Record<string, string>, read: (row: SummedRow) => number | null): Line => {
      const values = blank(grid);
      for (const row of own) values[row.point] = read(row);
      return { name, label, values, weight };
    };
    if (measure === "answers")
      return (["ok", "bad", "undecided"] as const).map((answer) => line({ answer }, (row) => row[answer]));
    // Without an answer that says something there is no share.
    return [line({}, ({ ok, bad }) => (ok + bad > 0 ? ok / (ok + bad) : null))];
  });
}

function latencyLines(grid: Grid, query: TargetHistoryQuery, rows: readonly StepsRow[]): Line[] {
  return byName(rows).flatMap(([name, own]) =>
    (query.quantile ?? ["0.5" as const]).map((quantile): Line => {
      const values = blank(grid);
      for (const { point, steps, answers } of own) {
        const time = latencyQuantile(new Map(steps.map((step, i) => [step, answers[i] ?? 0])), Number(quantile));
        values[point] = time === null ? null : Math.round(time * 10) / 10;
      }
      const peak = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
      return { name, label: { quantile }, values, weight: peak };
    }),
  );
}

function noteOf({ measure, via }: TargetHistoryQuery, { stepSeconds }: Grid): string {
  const span = stepSeconds % hour === 0 ? `${stepSeconds / hour} h` : `${stepSeconds / 60} min`;
  const route = via === "direct" ? "past every proxy" : "on the configured route";
  if (measure === "latency") return `Time of good answers ${route} in ${span}, right to an eighth.`;
  if (measure === "answers") return `Answers ${route} in ${span}; undecided ones prove neither.`;
  return `Share of good answers ${route} in ${span}, without those that prove neither.`;
}
