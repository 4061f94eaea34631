import type { Service, Verdict } from "@lynceus/protocol/names";
import type { Target } from "@lynceus/protocol/policy";

/** What decides whether a verdict is a good answer: what the target is, and what its policy accepts besides. */
export type Judged = Pick<Target, "service" | "accept">;

const exchange: readonly Verdict[] = ["exchange-onprem", "exchange-online"];
const lyncWeb: readonly Verdict[] = ["sfb-web"];
const port: readonly Verdict[] = ["port-open"];
const name: readonly Verdict[] = ["name-found"];

/** Good answers per service (domain 5 `ok(v)`, 3.1). Healthy EWS is a 401 from Exchange, never a 200. */
const good: Record<Service, readonly Verdict[]> = {
  ews: exchange,
  autodiscover: exchange,
  apex: exchange,
  mapi: exchange,
  oab: exchange,
  "exchange-health": ["exchange-health-ok"],
  "lync-discover": lyncWeb,
  "lync-web": lyncWeb,
  // Rule 8: Windows authentication without any Lync marker is the usual answer of these two.
  "lync-rgs": ["sfb-web", "iis-windows-auth"],
  "lync-abs": ["sfb-web", "iis-windows-auth"],
  sip: port,
  "sip-plain": port,
  "autodiscover-srv": name,
  "sip-srv": name,
  control: ["control-ok", "port-open"],
  revocation: ["control-ok", "port-open", "unexpected-200", "not-found", "forbidden", "unknown-answer"],
};

/** Answers that prove neither health nor fault: probably the right server, or nothing that we know. */
const undecided: readonly Verdict[] = ["unknown-answer", "iis-windows-auth"];

/** Whether this verdict is the answer one wants from this target. */
export const isOk = (verdict: Verdict, target: Judged): boolean =>
  good[target.service].includes(verdict) || target.accept.includes(verdict);

/**
 * Whether this verdict proves a fault of this target. Not the opposite of `isOk`: an unknown answer is neither, and a
 * 407 is judged by the schemes that it offers (5.0 rule 1), which one verdict does not hold.
 */
export const isBad = (verdict: Verdict, target: Judged): boolean =>
  !isOk(verdict, target) && !undecided.includes(verdict);

/** No answer above the network: what a dead network looks like as well. */
export const networkVerdicts: ReadonlySet<Verdict> = new Set(["dns-fail", "tcp-refused", "tcp-timeout", "tcp-reset"]);
export const tcpVerdicts: ReadonlySet<Verdict> = new Set(["tcp-refused", "tcp-timeout", "tcp-reset"]);

/** What each verdict means, in words that stand alone (chain, timeline, tables). */
export const verdictTexts: Record<Verdict, string> = {
  "dns-fail": "The name does not resolve",
  "proxy-unreachable": "The proxy does not answer",
  "proxy-auth-required": "The proxy asks for its own login",
  "proxy-blocked": "The proxy refuses this address",
  "proxy-upstream-fail": "The proxy cannot reach the server",
  "proxy-error": "The proxy refuses the tunnel",
  "tcp-refused": "The connection is refused",
  "tcp-timeout": "No answer from the address",
  "tcp-reset": "The connection is cut",
  "tls-name": "The certificate is for another name",
  "tls-untrusted": "The certificate is not trusted here",
  "tls-expired": "The certificate has expired",
  "tls-protocol": "No common TLS version",
  "tls-reset": "The TLS handshake is cut",
  "tls-other": "The TLS handshake fails",
  "http-timeout": "Connected, but no answer in time",
  "captive-portal": "A network login page answers",
  "exchange-online": "Exchange Online answers",
  "exchange-onprem": "Exchange answers",
  "exchange-basic-only": "Exchange offers Basic only",
  "exchange-health-ok": "Exchange says it is healthy",
  "exchange-down": "Exchange's web server answers, its service does not",
  "sfb-web": "Lync web services answer",
  "iis-windows-auth": "A Windows web server asks for Windows login",
  "other-basic-auth": "Something else asks for a Basic login",
  "preauth-form": "A login form stands in front",
  forbidden: "The server forbids it",
  "not-found": "The server has no such page",
  "server-error": "The server reports an error",
  "unexpected-200": "A page answers that is not Exchange",
  "unknown-answer": "An answer that proves nothing",
  "port-open": "The port is open",
  "name-found": "The record exists",
  "name-missing": "The record does not exist",
  "control-ok": "The control page is right",
};
