import type { Confidence, PatternId, Severity } from "@lynceus/protocol/names";
import type { Evidence, Match, ProbeSlot } from "@lynceus/protocol/state";
import { serviceName } from "./changes.ts";
import { isOk, verdictTexts } from "./verdicts.ts";
import { routeName, type Sighting, type View } from "./view.ts";

/** Nearest to the client first (5.0 rule 14a). */
export const layers = [
  "location",
  "fleet",
  "name-resolution",
  "proxy-configuration",
  "proxy-reach",
  "proxy-answer",
  "network-path",
  "tls",
  "server",
  "authentication",
] as const;
export type Layer = (typeof layers)[number];

/** One thing to do, by whom. */
export interface Step {
  readonly who: string;
  readonly what: string;
  /** A KB number or standard, where one says so. */
  readonly reference: string | null;
}

/** What a person reads about a pattern; the same everywhere (dashboard, one-shot, docs). */
export interface PatternTexts {
  readonly id: PatternId;
  /** As an admin says it; sentence case, no full stop. */
  readonly title: string;
  /** Why this makes credential prompts expected. */
  readonly mechanism: string;
  /** What must be seen, in words. */
  readonly evidence: string;
  /** The severities that it can have, worst first. */
  readonly severities: readonly Severity[];
  readonly confidences: readonly Confidence[];
  /** Its nearest look-alikes, and what tells them apart. */
  readonly notThis: readonly string[];
  readonly whoFixes: string;
  readonly remedy: readonly Step[];
  readonly references: readonly string[];
}

export interface Pattern extends PatternTexts {
  readonly layer: Layer;
  /** While a `location` pattern holds, nothing else about the machine can be told: all others are hidden. */
  readonly scope: "client" | "server" | "fleet" | "location";
  /**
   * About silence, which has no cycles: raised and cleared at once. While it holds, what was raised before stays as it
   * was, because nothing is heard that could clear it (domain 5.5 `fleet-blind`).
   */
  readonly ofSilence?: true;
  /** Holds only where no other pattern does: a conclusion by exclusion. */
  readonly lastResort?: true;
  /** Pure. Null where the evidence is not complete: missing facts never make a match. */
  match(view: View): Match | null;
}

/** A machine's own text inside a sentence: bounded, so that a hostile one leaves the sentence readable. */
export const quote = (text: string, max = 96): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);
const bounded = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

interface MatchParts {
  readonly severity: Severity;
  readonly confidence: Confidence;
  /** Whether it is why EWS is bad on the configured route. */
  readonly explains: boolean;
  /** Short, for tables: "px1.contoso.com asks for its own login". */
  readonly cause: string;
  /** Cause, counterfactual, who can fix it. */
  readonly sentence: string;
  readonly evidence: readonly (Evidence | null)[];
}

/** A match within the bounds of the schema, its missing evidence left out. */
export function makeMatch({ severity, confidence, explains, cause, sentence, evidence }: MatchParts): Match {
  return {
    severity,
    confidence,
    explains,
    cause: bounded(cause, 256),
    sentence: bounded(sentence, 1024),
    evidence: evidence
      .filter((item) => item !== null)
      .slice(0, 16)
      .map((item) => ({
        ...item,
        text: bounded(item.text, 1024),
        value: item.value === null ? null : bounded(item.value, 1024),
      })),
  };
}

/** Evidence that is a probe's verdict: "EWS, configured through px1:8080: The proxy asks for its own login". */
export function probeEvidence(slot: ProbeSlot | null, value: string | null = null): Evidence | null {
  if (!slot) return null;
  const { facts, verdict, at } = slot;
  const route = routeName(facts.route);
  const way = route === "direct" ? "direct" : route === null ? facts.via : `through ${quote(route)}`;
  const name = `${serviceName(facts.endpoint.service)} ${quote(facts.endpoint.host)}, ${way}`;
  return {
    text: `${name}: ${verdictTexts[verdict]}${value === null ? "" : ` (${quote(value, 256)})`}`,
    at,
    key: `probe:${facts.configuration}:${facts.target}:${facts.via}`,
    value: value ?? verdict,
  };
}

export const factEvidence = (key: string, text: string, value: string | null, at: number | null): Evidence => ({
  key,
  text,
  value,
  at,
});

/** The proxy of a slot as `host:port`, for sentences. */
export const proxyOf = (slot: ProbeSlot): string => quote(routeName(slot.facts.route) ?? "the proxy");
export const hostOf = (slot: ProbeSlot): string => quote(slot.facts.endpoint.host);
export const portOf = (slot: ProbeSlot): number | null => slot.facts.endpoint.port;

/** The counterfactual half of a sentence, where the configured route is not direct already. */
export function counterfactual({ target, configured, direct }: Sighting): string {
  if (!direct || !configured || configured.facts.route.kind === "direct") return "";
  if (isOk(direct.verdict, target)) return " Direct, Exchange answers.";
  return ` Direct fails too (${direct.verdict}), which may be by design.`;
}
