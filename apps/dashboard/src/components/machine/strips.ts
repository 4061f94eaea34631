import type { VerdictChange } from "@lynceus/db/observations";
import { serviceName } from "@lynceus/diagnosis/changes";
import { isOk } from "@lynceus/diagnosis/verdicts";
import type { Policy } from "@lynceus/protocol/policy";
import { formatDuration, formatTime } from "@lynceus/protocol/present";
import type { MachineFacts } from "@lynceus/protocol/state";
import type { ChartTable } from "../charts/chart-panel.tsx";
import { tickFormat } from "../charts/scale.ts";
import type { Strip, StripSegment, StripState } from "../charts/state-strips.tsx";
import { directMayFail } from "./lanes.ts";

/** A stretch of one verdict. */
export interface VerdictSpan {
  from: number;
  /** Null: it still holds. */
  to: number | null;
  verdict: string;
  /** Whether the verdict is good for its target; null when it cannot be told. */
  ok: boolean | null;
  /** Its failing is design: direct where the proxy carries the traffic. */
  expected?: boolean;
}

/** One row of the target strips: spans cut to the range, and the time after the last word in stale gold. */
export function stripOf(
  label: string,
  spans: readonly VerdictSpan[],
  range: { from: number; to: number },
  context: {
    now: number;
    zone: string /** Last word of a machine that is silent too long; null: it is not. */;
    seenAt: number | null;
  },
): Strip {
  const fraction = (at: number) =>
    (Math.min(Math.max(at, range.from), range.to) - range.from) / (range.to - range.from);
  const segments: StripSegment[] = [];
  const put = (from: number, to: number, state: StripState, what: string) => {
    const segment = { from: fraction(from), to: fraction(to), state };
    if (segment.to <= segment.from) return;
    const title = `${what}, ${formatTime(Math.max(from, range.from), context)} to ${formatTime(Math.min(to, range.to), context)}`;
    segments.push({ ...segment, title });
  };
  for (const span of spans) {
    const state: StripState = span.ok === null ? "unknown" : span.ok ? "ok" : span.expected ? "expected" : "bad";
    put(span.from, span.to ?? Math.min(context.seenAt ?? range.to, range.to), state, span.verdict);
  }
  if (spans.length > 0 && context.seenAt !== null && context.seenAt < range.to)
    put(context.seenAt, range.to, "stale", "not seen");
  return { label, segments: joined(segments), sentence: sentenceFor(spans, range) };
}

/** Narrower than this part of a row nothing can be seen or pointed at. */
const thinnest = 1 / 300;
/** What is shown of several states that share one place: the one that matters most. */
const weight: Record<StripState, number> = { bad: 4, unknown: 3, stale: 2, expected: 1, ok: 0 };

/** Segments that are wide enough to be seen: those that follow each other too fast become one, of the worst of them. */
function joined(segments: readonly StripSegment[]): StripSegment[] {
  const wide: StripSegment[] = [];
  let changes = 0;
  for (const segment of segments) {
    const last = wide.at(-1);
    const narrow = segment.to - segment.from < thinnest && last !== undefined && last.to - last.from < thinnest;
    if (!narrow || last === undefined) {
      changes = 0;
      wide.push(segment);
      continue;
    }
    changes++;
    const worst = weight[segment.state] > weight[last.state] ? segment : last;
    const title = `${worst.title.split(",")[0]} at times, ${changes} ${changes === 1 ? "change" : "changes"}`;
    wide[wide.length - 1] = { from: last.from, to: segment.to, state: worst.state, title };
  }
  return wide;
}

function sentenceFor(spans: readonly VerdictSpan[], range: { from: number; to: number }): string {
  const inside = spans.filter((span) => (span.to ?? range.to) > range.from && span.from < range.to);
  const last = inside.at(-1);
  if (!last) return "not observed";
  const changes = inside.length - 1;
  const tail = changes === 0 ? "the whole time" : `now, after ${changes} ${changes === 1 ? "change" : "changes"}`;
  const bad = inside
    .filter((span) => span.ok === false && !span.expected)
    .reduce((sum, span) => sum + Math.min(span.to ?? range.to, range.to) - Math.max(span.from, range.from), 0);
  return `${last.verdict} ${tail}${bad > 0 ? `; failing ${formatDuration(bad)}` : ""}`;
}

/** Round ticks of a time axis: at full hours or a round number of them, as fractions. */
export function timeTicks(
  range: { from: number; to: number },
  zone: string,
  most = 6,
): { at: number; label: string }[] {
  const hour = 3_600_000;
  const length = range.to - range.from;
  const step =
    [0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 120].map((h) => h * hour).find((s) => length / s <= most) ?? 240 * hour;
  const label = tickFormat(zone, length, step);
  const out: { at: number; label: string }[] = [];
  for (let at = Math.ceil(range.from / step) * step; at <= range.to; at += step) {
    const fraction = (at - range.from) / length;
    if (fraction > 0.03 && fraction < 0.97) out.push({ at: fraction, label: label(at) });
  }
  return out;
}

/** One row a target and route: what it said over the range. */
export function stripsOf(input: {
  history: readonly VerdictChange[];
  facts: MachineFacts;
  policy: Policy | null;
  configuration: string;
  targets: readonly string[];
  range: { from: number; to: number };
  context: { now: number; zone: string; seenAt: number | null };
}): Strip[] {
  const { history, facts, policy, configuration, targets, range, context } = input;
  const strips: Strip[] = [];
  for (const id of targets) {
    const target = policy?.targets.find((t) => t.id === id) ?? null;
    for (const via of ["configured", "direct"] as const) {
      const key = `${configuration}:${id}:${via}`;
      const slot = Object.hasOwn(facts.probes, key) ? facts.probes[key] : undefined;
      const own = history.filter((change) => change.key === `probe:${key}`);
      if (!slot && own.length === 0) continue;
      const changes = own.length > 0 ? own : slot ? [{ at: new Date(slot.verdictSince), verdict: slot.verdict }] : [];
      const spans = changes.map(
        (change, i): VerdictSpan => ({
          from: change.at.getTime(),
          to: changes[i + 1]?.at.getTime() ?? null,
          verdict: change.verdict,
          ok: target ? isOk(change.verdict, target) : null,
          expected: via === "direct" && directMayFail(facts, policy, configuration, id),
        }),
      );
      const service = target ? serviceName(target.service) : id;
      strips.push(stripOf(`${service}, ${via}`, spans, range, context));
    }
  }
  return strips;
}

/** The same as a table: every change of a verdict, newest first. */
export function stripTable(
  history: readonly VerdictChange[],
  configuration: string,
  targets: readonly string[],
  context: { now: number; zone: string },
): ChartTable {
  const rows = history
    .map((change) => ({ change, parts: /^probe:([^:]*):(.*):(configured|direct)$/.exec(change.key) }))
    .filter(({ parts }) => parts !== null && parts[1] === configuration && targets.includes(parts[2] ?? ""))
    .sort((a, b) => b.change.at.getTime() - a.change.at.getTime())
    .map(({ change, parts }) => [
      `${formatTime(change.at.getTime(), context)} ${parts?.[2]} ${parts?.[3]}`,
      change.verdict,
      change.location,
      change.replayed ? "replayed" : "",
    ]);
  return { columns: ["Since, target, route", "Verdict", "Location", ""], rows };
}
