import type { HeldReason } from "@lynceus/incidents/reasons";
import { formatCount, formatDuration, formatTime, safeText } from "@lynceus/protocol/present";
import type { Incident, IncidentEvent } from "@lynceus/protocol/read-api-incidents";
import type { Verification } from "@lynceus/protocol/read-api-tools";
import type { ChipTone } from "../status/chip.tsx";
import type { MarkStatus } from "../status/status-mark.tsx";

/* What the pages say of an incident. Times are shown in the viewer's zone. */

export interface Clock {
  readonly now: number;
  readonly zone: string;
}

const time = (at: string | null, clock: Clock) => formatTime(at === null ? null : Date.parse(at), clock);

export const incidentHref = (number: number): string => `/incidents/${number}`;
/** The filter term that selects an incident's present machines. */
export const incidentTerm = (number: number): string => `incident:${number}`;

export const markOf = (incident: Pick<Incident, "kind" | "endedAt">): MarkStatus =>
  incident.endedAt !== null ? "signed-off" : incident.kind === "silent" ? "blind" : "failing";

/** Where it stands, in a chip: "Open since 02:41", "Resolved 03:52". */
export function stateChip(incident: Incident, clock: Clock): { tone: ChipTone; text: string } {
  const { ended, endedAt, state, openedAt } = incident;
  if (ended === null)
    return {
      tone: incident.kind === "silent" ? "stale" : "bad",
      text:
        state === "flapping" ? `Comes and goes since ${time(openedAt, clock)}` : `Open since ${time(openedAt, clock)}`,
    };
  const at = time(endedAt, clock);
  switch (ended.how) {
    case "resolved":
      return { tone: "ok", text: `Resolved ${at}` };
    case "not-verified":
      return { tone: "stale", text: `Ended ${at}, not verified` };
    case "closed":
      return { tone: "plain", text: `Closed ${at}${ended.by === null ? "" : ` by ${safeText(ended.by, 64)}`}` };
    case "merged":
      return { tone: "plain", text: `Goes on in ${ended.into ?? "another incident"} since ${at}` };
  }
}

/** Who has it, in a chip of a list; null where it is over. */
export function ownerChip(incident: Incident, clock: Clock): { tone: ChipTone; text: string } | null {
  if (incident.endedAt !== null) return null;
  const { acknowledged } = incident;
  return acknowledged === null
    ? { tone: "stale", text: "Not acknowledged" }
    : { tone: "plain", text: `Ack. ${safeText(acknowledged.by, 40)} ${time(acknowledged.at, clock)}` };
}

/** Why nobody was told yet, in two words of a list. */
const heldWords: Partial<Record<HeldReason, string>> = {
  silenced: "silenced",
  maintenance: "in maintenance",
  inhibited: "explained by another",
  "quiet-hours": "waits for the end of quiet hours",
  late: "waits for fresh data",
  "at-risk": "tells nobody: at risk",
  "no-route": "no route matches",
  "no-receiver": "its route names nobody",
  "nobody-on-call": "nobody is on call",
  "over-the-cap": "waits for the digest",
};
export const heldText = (reason: HeldReason | undefined): string | null =>
  reason === undefined ? null : (heldWords[reason] ?? null);

/** "Singapore, Manila and 3 more". */
export function sitesText(sites: Incident["sites"], most = 3): string {
  const named = sites.slice(0, most).map(({ site }) => (site === null ? "no site" : safeText(site, 60)));
  const rest = sites.length - named.length;
  return named.join(", ") + (rest > 0 ? ` and ${formatCount(rest)} more` : "");
}

/** What is said of it where no shared cause explains it. */
export function sizeSentence(incident: Incident): string {
  const { failing, silent, kind, endedAt, peak } = incident;
  const machines = (count: number) => `${formatCount(count)} ${count === 1 ? "machine" : "machines"}`;
  if (endedAt !== null) return peak === null ? "" : `At most ${machines(peak)} at once.`;
  if (kind === "silent")
    return `${machines(failing)} fell silent without a goodbye, while others report. What was found on them before stays as it was.`;
  const quiet = silent === 0 ? "" : ` ${machines(silent)} fell silent and ${silent === 1 ? "is" : "are"} not verified.`;
  if (failing === 0) return `None of its machines fails now.${quiet}`;
  return `${machines(failing)} ${failing === 1 ? "fails" : "fail"}.${quiet}`;
}

/** What the page's main button does at this moment. */
export type MainAct = "acknowledge" | "verify" | "close";

/** Acknowledge → Verify fix → Close. Null where it is over. */
export function mainAct(incident: Incident, verification: Verification | null): MainAct | null {
  if (incident.endedAt !== null) return null;
  if (incident.acknowledged === null) return "acknowledge";
  const verified = verification !== null && verification.state === "done" && verification.remaining === 0;
  const since = verification === null ? 0 : Date.parse(verification.createdAt);
  // A silent site is not probed: nobody hears.
  if (incident.kind === "silent") return "close";
  return (verified && since >= Date.parse(incident.acknowledged.at)) || incident.failing + incident.silent === 0
    ? "close"
    : "verify";
}

/** What a verification came to, as the end of the page's sentence; null where there is none to speak of. */
export function verifiedText(verification: Verification | null, clock: Clock): string | null {
  if (verification === null || verification.state !== "done" || verification.machines === 0) return null;
  const { machines, counts, createdAt } = verification;
  const well = counts.fixed + counts.other;
  const at = time(createdAt, clock);
  return well === machines
    ? `Probed again at ${at}: all ${formatCount(machines)} are rid of it.`
    : `Probed again at ${at}: ${formatCount(well)} of ${formatCount(machines)} are rid of it.`;
}

/** A reminder comes back at this instant, where nobody is asked before; null where it does not. */
export function remindedAt(incident: Incident, acknowledgeMinutes: number): number | null {
  const { acknowledged, endedAt } = incident;
  return acknowledged === null || endedAt !== null ? null : Date.parse(acknowledged.at) + acknowledgeMinutes * 60_000;
}

const ordinals = ["1st", "2nd", "3rd"];
const ordinal = (count: number) => ordinals[count - 1] ?? `${count}th`;

/** What became of a notice: "delivered, 2nd try". */
export function outcomeText(notice: NonNullable<IncidentEvent["notice"]>): { bad: boolean; text: string } {
  const { state, attempts, error } = notice;
  const why = error === null ? "" : `: ${safeText(error, 160)}`;
  switch (state) {
    case "sent":
      return { bad: false, text: attempts > 1 ? `delivered, ${ordinal(attempts)} try` : "delivered" };
    case "failed":
      return {
        bad: true,
        text: `not delivered yet, ${formatCount(attempts)} ${attempts === 1 ? "try" : "tries"}${why}`,
      };
    case "dead":
      return { bad: true, text: `given up after ${formatCount(attempts)} ${attempts === 1 ? "try" : "tries"}${why}` };
    default:
      return { bad: false, text: "on its way" };
  }
}

/** An entry of the timeline in two voices: what happened, and why. */
export function eventRuns(text: string): { what: string; why: string | null } {
  const at = text.indexOf(": ");
  return at > 0 && at < 90 ? { what: text.slice(0, at), why: text.slice(at + 2) } : { what: text, why: null };
}

/** How long it is, or was. */
export function ageText(incident: Pick<Incident, "openedAt" | "endedAt">, now: number): string {
  const end = incident.endedAt === null ? now : Date.parse(incident.endedAt);
  return formatDuration(Math.max(0, end - Date.parse(incident.openedAt)));
}
