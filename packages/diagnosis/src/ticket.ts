import type { MachineStatus } from "@lynceus/protocol/names";
import { safeText } from "@lynceus/protocol/present";
import type { Machine } from "@lynceus/protocol/read-api";
import type { Ticket } from "@lynceus/protocol/read-api-tools";
import type { Finding, ProbeSlot } from "@lynceus/protocol/state";
import { redactProxyUrl } from "@lynceus/proxy-settings/redact";
import { type PatternTexts, textsOf } from "./texts.ts";
import { verdictTexts } from "./verdicts.ts";
import { routeName } from "./view.ts";

export interface TicketOptions {
  /** The writer's clock, milliseconds: the ticket says as of when it is. */
  readonly now: number;
  /** Address of the machine's page; left out where there is none. */
  readonly link?: string;
}

/** Of one text of a machine in a ticket. */
const maxChars = 1024;

/*
 * The agent removes secrets before anything leaves the machine. An agent may be another one than we wrote, and a ticket
 * goes to people who cannot see the product: so it is done once more.
 */
const address = /\b(?:https?|wss?|ftp|file|socks[45]?):\/\/[^\s"'<>]+/gi;
const login =
  /\b(?:[Bb]asic|[Bb]earer|[Nn]egotiate|NTLM|[Dd]igest|[Kk]erberos)\s+(?=[\w+/=.-]*(?:\d|[a-z][A-Z]))[\w+/=.-]{12,}/g;
const assigned = /\b(?:password|passwd|pwd|secret|token|api[_-]?key|authorization|cookie)\s*[=:]\s*[^\s;,]+/gi;
const mailbox = /[\w.!#$%&'*+/=?^`{|}~-]+@(?=[\w-]+(?:\.[\w-]+)*)/g;

/** A machine's text without addresses' queries, logins and names of people, and with what would not show made visible. */
export function redacted(text: string): string {
  const bare = text
    .slice(0, 8 * maxChars)
    .replace(address, (url) => redactProxyUrl(url))
    .replace(login, (found) => `${found.split(/\s/, 1)[0]} …`)
    .replace(assigned, (found) => `${found.split(/[=:]/, 1)[0]?.trimEnd()}=…`)
    .replace(mailbox, "…@");
  return safeText(bare, maxChars);
}

/**
 * Text that Markdown shows as it is: no emphasis, link, image, HTML, table, mention or list (CommonMark 2.4), and none of
 * the addresses that GitHub's dialect links by itself. It stands at the beginning of a block, or inside one.
 */
const escaped = (text: string): string =>
  text
    .replace(/[\\`*_{}[\]<>#!|~&@$^]/g, "\\$&")
    .replace(/:\/\//g, ":\\/\\/")
    .replace(/\bwww\./gi, (found) => `${found.slice(0, -1)}\\.`)
    .replace(/^(\s*)([-+=])/, "$1\\$2")
    .replace(/^(\s*\d{1,9})([.)])/, "$1\\$2");

export const minute = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const headlines: Record<MachineStatus, string> = {
  failing: "credential prompts expected",
  healthy: "no credential prompts expected",
  "cannot-tell": "cannot tell whether credential prompts are expected",
  stale: "not heard of; the facts are those last seen",
  "signed-off": "signed off; the facts are those last seen",
};

/** A ticket in parts; `own` is our own wording, the rest is what a machine said. */
export type Line =
  | { readonly kind: "title" | "text"; readonly text: string }
  | { readonly kind: "heading"; readonly own: string }
  | { readonly kind: "item" | "step"; readonly text: string }
  | { readonly kind: "fact"; readonly own: string; readonly text: string };

/** EWS on the configured route and past the proxy, of the configuration that the finding is about. */
function lanes({ facts }: Machine, finding: Finding | undefined): { configured?: ProbeSlot; direct?: ProbeSlot } {
  const ews = Object.values(facts.probes).filter((slot) => slot.facts.endpoint.service === "ews");
  const about = finding?.configurations[0];
  const configured =
    ews.find((slot) => slot.facts.via === "configured" && slot.facts.configuration === about) ??
    ews.find((slot) => slot.facts.via === "configured");
  const direct =
    configured?.facts.route.kind === "direct"
      ? undefined
      : ews.find((slot) => slot.facts.via === "direct" && slot.facts.target === configured?.facts.target);
  return { ...(configured ? { configured } : {}), ...(direct ? { direct } : {}) };
}

function seen(slot: ProbeSlot): string {
  const { endpoint, route } = slot.facts;
  const way = routeName(route);
  const where = way === "direct" ? "direct" : way === null ? "route not known" : `through ${way}`;
  return `${endpoint.host}${endpoint.port === null ? "" : `:${endpoint.port}`} ${where}: ${verdictTexts[slot.verdict]} (${slot.verdict}), ${minute(slot.at)}`;
}

/** What fixes a pattern, what it is not, and where that is written. */
export function remedyLines(texts: PatternTexts): Line[] {
  const reference = texts.references.join("; ");
  return [
    { kind: "heading", own: `Fix (${texts.whoFixes})` },
    ...texts.remedy.map(
      (step): Line => ({
        kind: "step",
        text: `${step.who}: ${step.what}${step.reference ? ` (${step.reference})` : ""}`,
      }),
    ),
    { kind: "heading", own: "It is not" },
    ...texts.notThis.map((text): Line => ({ kind: "item", text })),
    ...(reference === "" ? [] : [{ kind: "fact", own: "Reference", text: reference } as const]),
  ];
}

function linesOf(machine: Machine, { now, link }: TicketOptions): Line[] {
  const { diagnosis, facts } = machine;
  const [primary, ...others] = diagnosis.findings;
  const texts = primary && textsOf(primary.pattern);
  const { configured, direct } = lanes(machine, primary);
  const lines: Line[] = [
    {
      kind: "title",
      text: `${machine.hostname}: ${headlines[machine.status]}${machine.simulated ? " (simulated machine)" : ""}`,
    },
    { kind: "text", text: diagnosis.sentence },
  ];
  const fact = (own: string, text: string | null | undefined) => {
    if (text) lines.push({ kind: "fact", own, text });
  };
  if (primary) {
    fact("Cause", `${texts?.title ?? primary.pattern} [${primary.pattern}]`);
    fact("Severity", `${primary.severity}, confidence ${primary.confidence}, since ${minute(primary.since)}`);
    if (primary.users > 0) fact("Users", String(primary.users));
  }
  if (primary && primary.evidence.length > 0) {
    lines.push({ kind: "heading", own: "Evidence" });
    for (const { text, at } of primary.evidence)
      lines.push({ kind: "item", text: at === null ? text : `${text}, ${minute(at)}` });
  }
  if (configured) {
    lines.push({ kind: "heading", own: "Exchange, with and without the proxy" });
    lines.push({ kind: "item", text: seen(configured) });
    if (direct) lines.push({ kind: "item", text: seen(direct) });
    else if (configured.facts.route.kind === "direct")
      lines.push({ kind: "item", text: "The configured route is direct: there is no other to compare with." });
    else lines.push({ kind: "item", text: "Direct was not probed." });
  }
  if (texts) lines.push(...remedyLines(texts));
  if (others.length > 0) {
    lines.push({ kind: "heading", own: "Also found" });
    for (const finding of others)
      lines.push({ kind: "item", text: `${finding.cause} [${finding.pattern}], ${finding.severity}` });
  }
  lines.push({ kind: "heading", own: "Machine" });
  fact("Site", machine.site);
  fact("Location", machine.location);
  fact("System", [machine.os, machine.osVersion].filter(Boolean).join(" "));
  fact("Agent", machine.agentVersion);
  const newest = facts.system?.at ?? configured?.at;
  fact("Facts as of", newest === undefined ? null : minute(newest));
  fact("Written", minute(now));
  fact("Page", link);
  return lines;
}

/**
 * What one pastes into a ticket: verdict, evidence, the counterfactual, the fix, as plain text and as Markdown. Pure.
 * What a machine said is redacted once more, and can be neither markup, nor a link, nor a line of its own.
 */
export const ticketText = (machine: Machine, options: TicketOptions): Ticket => renderTicket(linesOf(machine, options));

/** A ticket's lines as plain text and as Markdown, each text redacted and escaped. */
export function renderTicket(lines: readonly Line[]): Ticket {
  const text: string[] = [];
  const markdown: string[] = [];
  let step = 0;
  for (const line of lines) {
    const shown = "text" in line ? redacted(line.text) : "";
    const safe = escaped(shown);
    if (line.kind !== "step") step = 0;
    switch (line.kind) {
      case "title":
        text.push(shown);
        markdown.push(`## ${safe}`, "");
        break;
      case "text":
        text.push(shown, "");
        markdown.push(safe, "");
        break;
      case "heading":
        text.push("", line.own);
        markdown.push("", `### ${escaped(line.own)}`, "");
        break;
      case "item":
        text.push(`- ${shown}`);
        markdown.push(`- ${safe}`);
        break;
      case "step":
        step++;
        text.push(`${step}. ${shown}`);
        markdown.push(`${step}. ${safe}`);
        break;
      case "fact":
        text.push(`${line.own}: ${shown}`);
        markdown.push(`- ${line.own}: ${safe}`);
        break;
    }
  }
  const joined = (lines: readonly string[]) =>
    `${lines
      .join("\n")
      .replace(/\n{3,}/g, "\n\n")
      .trim()}\n`;
  return { text: joined(text), markdown: joined(markdown) };
}
