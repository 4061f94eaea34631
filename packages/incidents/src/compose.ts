import type { PatternId } from "@lynceus/protocol/names";
import type { Notice, NoticeIncident, NoticeKind } from "@lynceus/protocol/notice";
import { formatCount } from "@lynceus/protocol/present";
import { sizeOf } from "./size.ts";
import type { Incident } from "./types.ts";

/** What the catalogue says of a pattern, as far as a message needs it. */
export interface PatternText {
  readonly whoFixes: string;
  readonly firstStep: string;
  readonly reference: string | null;
}

export interface ComposeContext {
  readonly now: number;
  /** Of the dashboard, without a slash at its end. */
  readonly dashboardUrl: string;
  /** Tells two installations apart that speak to one receiver. */
  readonly installation: string;
  readonly textsOf: (pattern: PatternId) => PatternText | null;
}

const unexplained: PatternText = {
  whoFixes: "Whoever runs Exchange and the way to it",
  firstStep: "open one of its machines and read the evidence chain: it shows where the way to Exchange ends",
  reference: null,
};
const maxHeadline = 110;
const maxSites = 20;

const iso = (at: number) => new Date(at).toISOString();
const cut = (text: string, max: number) => (text.length > max ? `${text.slice(0, max - 1)}…` : text);
const upperFirst = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** open, acknowledged, flapping, resolved or merged: the one word for where an incident stands. */
export const stateOf = ({ ended, flappingSince, acknowledged }: Incident): NoticeIncident["state"] =>
  ended !== null
    ? ended.how === "merged"
      ? "merged"
      : "resolved"
    : flappingSince !== null
      ? "flapping"
      : acknowledged !== null
        ? "acknowledged"
        : "open";

/** What is said of an incident as a whole. */
export function sentenceOf(incident: Incident): string {
  if (incident.explanation !== null) return incident.explanation;
  if (incident.kind === "silent")
    return `${formatCount(incident.failing)} machines fell silent without a goodbye, while others report. What was found on them before stays as it was.`;
  const size = sizeOf(incident);
  return incident.failing === 0
    ? "None of its machines fails now."
    : `${upperFirst(size)} ${incident.failing === 1 ? "fails" : "fail"}. No value that they share sets them apart from healthy machines yet.`;
}

export function noticeIncident(incident: Incident, context: ComposeContext): NoticeIncident {
  const texts = (incident.pattern && context.textsOf(incident.pattern)) ?? unexplained;
  return {
    number: incident.number,
    title: incident.title,
    sentence: sentenceOf(incident),
    pattern: incident.pattern,
    severity: incident.severity,
    urgency: incident.urgency,
    confidence: incident.confidence,
    state: stateOf(incident),
    since: iso(incident.since),
    resolvedAt: incident.ended ? iso(incident.ended.at) : null,
    acknowledgedBy: incident.acknowledged?.by ?? null,
    machines: incident.failing,
    peak: incident.peak,
    sites: incident.sites
      .slice(0, maxSites)
      .map(({ site, machines, of }) => ({ site: site ?? "no site", machines, of })),
    evidence: incident.evidence ?? "",
    firstStep: texts.firstStep,
    whoFixes: texts.whoFixes,
    reference: texts.reference,
    simulated: incident.simulated,
    url: `${context.dashboardUrl}/incidents/${incident.number}`,
  };
}

const machines = (count: number) => (count === 1 ? "1 machine" : `${formatCount(count)} machines`);

function headlineOf(kind: NoticeKind, incidents: readonly Incident[]): string {
  const [first] = incidents as [Incident];
  const simulated = first.simulated ? "Simulated: " : "";
  if (kind === "digest")
    return cut(
      `${simulated}${formatCount(incidents.length)} incidents, ${machines(incidents.reduce((sum, { failing }) => sum + failing, 0))}: ${first.title}`,
      maxHeadline,
    );
  const size = kind === "resolved" ? machines(first.peak) : machines(first.failing);
  const before =
    kind === "resolved"
      ? first.ended?.how === "merged"
        ? `Goes on in ${first.ended.into}: `
        : "Resolved: "
      : kind === "acknowledged"
        ? `Acknowledged by ${first.acknowledged?.by ?? "somebody"}: `
        : kind === "flapping"
          ? "Flapping: "
          : "";
  return cut(`${simulated}${before}${size}: ${first.title}`, maxHeadline);
}

/** The message of one or several incidents, the worst first, ready for any receiver. */
export function compose(
  message: {
    readonly kind: NoticeKind;
    readonly key: string;
    readonly thread: string;
    readonly reason: string;
    readonly incidents: readonly Incident[];
  },
  context: ComposeContext,
): Notice {
  const { kind, key, thread, reason, incidents } = message;
  const shown = incidents.map((incident) => noticeIncident(incident, context));
  return {
    kind,
    key,
    thread,
    at: iso(context.now),
    headline: headlineOf(kind, incidents),
    reason,
    incident: shown[0] ?? null,
    incidents: kind === "digest" ? shown : [],
    change: null,
    acknowledgeUrl: null,
  };
}

export const threadOf = (installation: string, number: number): string => `lynceus-${installation}-${number}`;
