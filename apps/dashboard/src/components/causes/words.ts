import type { AttributionKey } from "@lynceus/protocol/names";
import { formatCount, formatTime, middleCut, safeText } from "@lynceus/protocol/present";
import type { Attribution, Cause, CauseCandidate } from "@lynceus/protocol/read-api";
import { term } from "../machines/links.ts";

/** What machines can share, as a table's first column says it. */
export const keyTitles: Record<AttributionKey, string> = {
  "settings-wave": "Settings changed together",
  "pac-hash": "Script content",
  "pac-url": "Script address",
  proxy: "Proxy in use",
  "back-end": "Exchange server",
  address: "Exchange address",
  "tls-spki": "TLS key",
  "tls-issuer": "TLS issuer",
  resolver: "DNS resolver",
  subnet: "Subnet",
  site: "Site",
  "policy-version": "Lynceus policy",
  "agent-version": "Agent",
  "os-build": "System build",
  "route-kind": "Route",
};

/** The change that sets a key, as the subject of a sentence. */
const changes: Record<AttributionKey, string> = {
  "settings-wave": "A change of proxy settings",
  "pac-hash": "A PAC change",
  "pac-url": "A change of script address",
  proxy: "A change of proxy",
  "back-end": "A change on the Exchange servers",
  address: "A DNS change",
  "tls-spki": "A certificate change",
  "tls-issuer": "A certificate change",
  resolver: "A DNS change",
  subnet: "A change of network",
  site: "A change at one site",
  "policy-version": "A change of Lynceus's policy",
  "agent-version": "An agent update",
  "os-build": "A system update",
  "route-kind": "A change of route",
};

/** Kinds of changes, by the first part of a change's key: `script:9f3c1e→41ab07`. */
const kinds: Record<string, string> = {
  script: "A PAC change",
  pac: "A PAC change",
  settings: "A change of proxy settings",
  certificate: "A certificate change",
  dns: "A DNS change",
  agent: "An agent update",
  policy: "A change of Lynceus's policy",
};

/** "Proxy px1.contoso.com:8080", "Script 41ab07": a shared value as the subject of a sentence. */
const subjects: Record<AttributionKey, (value: string) => string> = {
  "settings-wave": () => "Proxy settings that changed together",
  "pac-hash": (value) => (value === "none" ? "No script" : `Proxy script ${value.slice(0, 6)}`),
  "pac-url": (value) => (value === "none" ? "No script address" : `Script address ${value}`),
  proxy: (value) => (value === "none" ? "No proxy" : value),
  "back-end": (value) => `Exchange server ${value}`,
  address: (value) => `Exchange address ${value}`,
  "tls-spki": (value) => `TLS key ${value.slice(0, 8)}`,
  "tls-issuer": (value) => `TLS issuer ${value}`,
  resolver: (value) => `DNS resolver ${value}`,
  subnet: (value) => `Subnet ${value}`,
  site: (value) => `Site ${value}`,
  "policy-version": (value) => `Lynceus policy ${value}`,
  "agent-version": (value) => `Agent ${value}`,
  "os-build": (value) => `System build ${value}`,
  "route-kind": (value) => (value === "direct" ? "The direct route" : "The route through a proxy"),
};

export const subjectOf = ({ key, value }: Pick<CauseCandidate, "key" | "value">): string =>
  safeText(subjects[key](value));

/** A shared value in a narrow cell. */
export function valueText({ key, value }: Pick<CauseCandidate, "key" | "value">): string {
  if (value === "none") return "none";
  const text = key === "pac-hash" || key === "tls-spki" || key === "settings-wave" ? value.slice(0, 12) : value;
  return middleCut(safeText(text), 34);
}

/** "A PAC change at 09:14", or what the machines share where no change was seen before. */
export function causeSubject(cause: Cause, context: { now: number; zone: string }): string {
  const { change } = cause;
  if (change === null) return subjectOf(cause);
  const kind = change.changeKey.split(":")[0] ?? "";
  const noun = change.by === "value" ? changes[cause.key] : (kinds[kind] ?? "A change");
  return `${noun} at ${formatTime(Date.parse(change.at), context)}`;
}

/** " explains 347 of the 351 failing machines" and "These 4 do not fit.": the sentence of a cause after its subject. */
export function explainsText(cause: Pick<Cause, "explains" | "of">): string {
  const { explains, of } = cause;
  if (explains === of)
    return of === 1 ? "explains the failing machine" : `explains all ${formatCount(of)} failing machines`;
  return `explains ${formatCount(explains)} of the ${formatCount(of)} failing machines`;
}

export function misfitText(count: number): string | null {
  if (count === 0) return null;
  return count === 1 ? "1 does not fit" : `${formatCount(count)} do not fit`;
}

/** "0 of 9,812 healthy share it", with those of whom it is not known. */
export function healthyText(candidate: CauseCandidate): string {
  const known = candidate.healthyWith + candidate.healthyWithout;
  const unknown = candidate.healthyUnknown > 0 ? ` (${formatCount(candidate.healthyUnknown)} unknown)` : "";
  return `${formatCount(candidate.healthyWith)} of ${formatCount(known)} healthy ${candidate.healthyWith === 1 ? "shares" : "share"} it${unknown}`;
}

/** What a candidate's bars show, in words. */
export function separatesText(candidate: CauseCandidate): string {
  const { failingWith, failingWithout, healthyWith, healthyWithout, failingUnknown } = candidate;
  if (failingWith + failingWithout === 0) return `not known of ${formatCount(failingUnknown)}`;
  if (failingWith === 0) return "no failing one has it";
  if (failingWithout === 0 && healthyWith === 0) return "separates fully";
  if (healthyWith === 0) return "no healthy one has it";
  const failingShare = failingWith / (failingWith + failingWithout);
  const healthyShare = healthyWith / Math.max(1, healthyWith + healthyWithout);
  if (healthyShare >= failingShare * 0.5) return "healthy share it";
  return `${formatCount(healthyWith)} healthy share it`;
}

/** Why no cause is named. */
export function noCauseText(attribution: Pick<Attribution, "noCause" | "failing">): string | null {
  switch (attribution.noCause) {
    case "no-control-group":
      return "No machine is healthy, so no cause can be named.";
    case "too-few":
      return `${formatCount(attribution.failing)} failing ${attribution.failing === 1 ? "machine is" : "machines are"} too few to compare.`;
    case "nothing-separates":
      return "Nothing that the failing machines share sets them apart from the healthy ones.";
    case "nothing-failing":
      return "No machine fails.";
    case null:
      return null;
  }
}

/** Filter term that selects the machines with a shared value; null where the filter language cannot say it. */
export function sharedTerm({ key, value }: Pick<CauseCandidate, "key" | "value">): string | null {
  const none = value === "none";
  switch (key) {
    case "pac-hash":
      return none ? "pac:none" : `pac:${value.slice(0, 16)}`;
    case "proxy":
      return none ? term("route", "direct") : term("route", value);
    case "site":
      return none ? "site:none" : term("site", value);
    case "tls-issuer":
      return none ? null : term("issuer", value);
    case "agent-version":
      return none ? null : term("agent", value);
    default:
      return null;
  }
}

const superscript = (number: number) => [...String(number)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");

/** Log of Fisher's p as people read it: "by chance in less than 1 of 10⁷ fleets". */
export function chanceText(logP: number): string {
  const exponent = Math.floor(-logP / Math.LN10);
  if (exponent < 1) return "may be chance";
  return `by chance in less than 1 of ${exponent <= 4 ? formatCount(10 ** exponent) : `10${superscript(exponent)}`} fleets`;
}

export const locationWords: Record<Cause["location"], string> = {
  inside: "inside",
  vpn: "on VPN",
  outside: "outside",
  unknown: "at an unknown location",
};
