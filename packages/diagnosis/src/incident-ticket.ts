import { formatCount } from "@lynceus/protocol/present";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
import type { Ticket } from "@lynceus/protocol/read-api-tools";
import { textsOf } from "./texts.ts";
import { type Line, minute, remedyLines, renderTicket } from "./ticket.ts";

export interface IncidentTicketOptions {
  /** The writer's clock, milliseconds: the ticket says as of when it is. */
  readonly now: number;
  /** Address of the incident's page; left out where there is none. */
  readonly link?: string;
  /** What attribution says, or what else is said of it as a whole. */
  readonly sentence: string;
  /** What people wrote down, the latest first. */
  readonly notes?: readonly { readonly at: number; readonly actor: string | null; readonly text: string }[];
}

const most = 20;

function linesOf(incident: Incident, { now, link, sentence, notes = [] }: IncidentTicketOptions): Line[] {
  const { number, title, pattern, severity, confidence, urgency, evidence, sites, acknowledged, ended } = incident;
  const texts = pattern && textsOf(pattern);
  const lines: Line[] = [
    { kind: "title", text: `Incident ${number}: ${title}${incident.simulated ? " (simulated machines)" : ""}` },
    { kind: "text", text: sentence },
  ];
  const fact = (own: string, text: string | null) => {
    if (text !== null) lines.push({ kind: "fact", own, text });
  };
  fact("Cause", texts ? `${texts.title} [${pattern}]` : null);
  fact("Severity", `${severity}, confidence ${confidence}, urgency ${urgency}`);
  fact("Since", minute(Date.parse(incident.since)));
  fact("Over", ended && incident.endedAt ? `${minute(Date.parse(incident.endedAt))} (${ended.how})` : null);
  const silent = incident.silent > 0 ? `; ${formatCount(incident.silent)} silent` : "";
  fact("Machines", `${formatCount(incident.failing)} failing${silent}`);
  fact("Acknowledged", acknowledged && `by ${acknowledged.by}, ${minute(Date.parse(acknowledged.at))}`);
  if (evidence !== null) {
    lines.push({ kind: "heading", own: "Evidence" });
    lines.push({ kind: "item", text: evidence });
  }
  if (sites.length > 0) {
    lines.push({ kind: "heading", own: "Where" });
    for (const { site, machines, of } of sites.slice(0, most))
      lines.push({
        kind: "item",
        text: `${site ?? "no site"}: ${formatCount(machines)}${of === null ? "" : ` of ${formatCount(of)}`}`,
      });
  }
  if (texts) lines.push(...remedyLines(texts));
  if (notes.length > 0) {
    lines.push({ kind: "heading", own: "Notes" });
    for (const { at, actor, text } of notes.slice(0, most))
      lines.push({ kind: "item", text: `${minute(at)}${actor === null ? "" : `, ${actor}`}: ${text}` });
  }
  lines.push({ kind: "heading", own: "This text" });
  fact("Written", minute(now));
  fact("Page", link ?? null);
  return lines;
}

/** What one pastes into the ticket of an incident, as plain text and as Markdown; pure, redacted as a machine's is. */
export const incidentTicketText = (incident: Incident, options: IncidentTicketOptions): Ticket =>
  renderTicket(linesOf(incident, options));
