/*
 * What the evidence chain draws: one lane a route, always the same eight columns (interface section 7).
 * Nothing here decides what a probe means; it only arranges what diagnosis said.
 */

export const columns = ["route", "dns", "tcp", "connect", "tls", "http", "auth"] as const;
export type Column = (typeof columns)[number];

export const columnTitles: Record<Column, string> = {
  route: "Route chosen by",
  dns: "DNS",
  tcp: "TCP",
  connect: "CONNECT",
  tls: "TLS",
  http: "HTTP",
  auth: "Auth offer",
};

export type StepState = "ok" | "slow" | "failed" | "failed-expected" | "not-reached" | "not-applicable";

export interface LaneStep {
  column: Column;
  state: StepState;
  /** What was seen, in the machine's own words. */
  value: string;
  /** For whom or why it is right, or what was needed. */
  details: string[];
  /** Milliseconds of this step alone; null where nothing was timed. */
  ms: number | null;
  /** What only the tooltip says, such as the limit that makes a step slow. */
  hint: string | null;
}

export type AnswerMark = "healthy" | "failing" | "cannot-tell" | "off" | "stale";

export interface Lane {
  id: "configured" | "direct" | "control";
  title: string;
  subtitles: string[];
  steps: LaneStep[];
  answer: { mark: AnswerMark; text: string; details: string[] };
}

/** A wall: the line ends here. */
export function isWall(state: StepState): boolean {
  return state === "failed" || state === "failed-expected";
}

/**
 * The first column whose states differ between the configured and the direct lane. Null when they agree, when one is
 * missing, or when direct is expected to fail: then a difference proves nothing.
 */
export function firstDifference(lanes: readonly Lane[]): Column | null {
  const configured = lanes.find((lane) => lane.id === "configured");
  const direct = lanes.find((lane) => lane.id === "direct");
  if (!configured || !direct) return null;
  if (direct.steps.some((step) => step.state === "failed-expected")) return null;
  for (const column of columns) {
    if (column === "route") continue;
    const a = sight(configured, column);
    const b = sight(direct, column);
    if (a === null || b === null) return null;
    if (a !== b) return column;
  }
  return null;
}

/** Whether the line passes a column. "Not applicable" and "slow" both let it through. */
function sight(lane: Lane, column: Column): "through" | "wall" | null {
  const at = lane.steps.findIndex((step) => step.column === column);
  const step = lane.steps[at];
  if (!step) return null;
  if (isWall(step.state) || step.state === "not-reached" || isBehindWall(lane.steps, at)) return "wall";
  return "through";
}

/** Whether a wall stands before this step, so that even "not applicable" is dotted. */
export function isBehindWall(steps: readonly LaneStep[], at: number): boolean {
  return steps.slice(0, at).some((step) => isWall(step.state) || step.state === "not-reached");
}

const spoken: Record<StepState, string> = {
  ok: "ok",
  slow: "slow",
  failed: "failed",
  "failed-expected": "failed as expected",
  "not-reached": "not reached",
  "not-applicable": "not applicable",
};

export function stateWord(state: StepState): string {
  return spoken[state];
}
