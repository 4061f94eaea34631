import type { ProbeFacts, Route } from "@lynceus/protocol/facts";
import type { Verdict } from "@lynceus/protocol/names";
import { formatDuration, formatLatency } from "@lynceus/protocol/present";
import type { RingEntry } from "@lynceus/protocol/state";
import { hasExchangeMarker, offeredSchemes, proxySchemes } from "./classify.ts";
import { issuerName } from "./interception.ts";
import { verdictTexts } from "./verdicts.ts";
import { routeName } from "./view.ts";

export const chainSteps = ["route", "dns", "tcp", "connect", "tls", "http", "auth", "answer"] as const;
export type ChainStepId = (typeof chainSteps)[number];
/** interface.md section 7. */
export type ChainState = "ok" | "slow" | "failed" | "failed-expected" | "not-reached" | "not-applicable";

/** One column of a lane. Texts of the machine are inside as sent: show them through `safeText`. */
export interface ChainStep {
  readonly id: ChainStepId;
  /** Column title. */
  readonly title: string;
  readonly state: ChainState;
  /** What was seen, in mono: `10.40.8.21`, `407 Login required`, `Not reached`. */
  readonly value: string;
  /** For whom or why it is right, or what was needed; null where there is nothing to add. */
  readonly second: string | null;
  /** Milliseconds of this step alone; null where it took none. */
  readonly ms: number | null;
}

export interface ChainOptions {
  /** The probe's verdict; the answer column is unknown without it. */
  readonly verdict?: Verdict | null;
  /** This lane fails by design: direct where the network requires a proxy (5.0 rule 7). */
  readonly expectedToFail?: boolean;
  /** Newest last: how many of the last probes agree. */
  readonly ring?: readonly RingEntry[];
  /** Issuer that most machines see, to name beside a foreign one. */
  readonly usualIssuer?: string | null;
  /** Prefix of the script's hash, where a script decided the route. */
  readonly script?: string | null;
  /** Milliseconds that are usual for a step, where known. */
  readonly usual?: Partial<Record<ChainStepId, number>>;
}

export const chainTitles: Record<ChainStepId, string> = {
  route: "Route chosen by",
  dns: "DNS",
  tcp: "TCP",
  connect: "CONNECT",
  tls: "TLS",
  http: "HTTP",
  auth: "Auth offer",
  answer: "Answer",
};

/** Above this a step that succeeded is slow: EWS as in `ews-slow`, connecting as a user would notice. */
const slowLimits: Partial<Record<ChainStepId, number>> = { dns: 1000, tcp: 1000, connect: 2000, tls: 2000, http: 2000 };

const routeWords: Record<Route["by"], string> = {
  "auto-detect": "Auto-detect",
  pac: "Script rule",
  manual: "Manual proxy",
  bypass: "Bypass list",
  implicit: "Local address",
  none: "No proxy",
  environment: "Environment",
  forced: "No proxy",
};

type Draft = Pick<ChainStep, "state" | "value" | "second" | "ms">;
const ok = (value: string, second: string | null, ms: number | null): Draft => ({ state: "ok", value, second, ms });
const failed = (value: string, second: string | null, ms: number | null): Draft => ({
  state: "failed",
  value,
  second,
  ms,
});
const notReached: Draft = { state: "not-reached", value: "Not reached", second: null, ms: null };
const notApplicable = (why: string): Draft => ({
  state: "not-applicable",
  value: "Not applicable",
  second: why,
  ms: null,
});

function routeStep(probe: ProbeFacts, options: ChainOptions): Draft {
  const { route, via } = probe;
  if (route.kind === "unknown") return { state: "not-reached", value: "Unknown", second: "route not known", ms: null };
  const second =
    route.by === "forced" || via === "direct"
      ? "by the probe only"
      : route.by === "pac" || route.by === "auto-detect"
        ? (options.script ?? routeName(route))
        : routeName(route);
  return ok(routeWords[route.by], second, null);
}

function dnsStep({ dns, route }: ProbeFacts): Draft {
  if (!dns) return notReached;
  const { addresses, rcode, name, ms } = dns;
  if (!dns.ok) {
    const silent = rcode === "TIMEOUT";
    return failed(
      silent ? "No answer" : rcode,
      silent ? `in ${formatDuration(Math.max(1000, ms))}, ${name}` : name,
      ms,
    );
  }
  const more = addresses.length > 1 ? ` +${addresses.length - 1}` : "";
  const literal = rcode === "LITERAL";
  return ok(
    `${addresses[0] ?? "resolved"}${more}`,
    literal ? "an address, no name" : route.kind === "proxy" ? `${name}, the proxy` : name,
    ms,
  );
}

function tcpStep({ tcp }: ProbeFacts): Draft {
  if (!tcp) return notReached;
  if (tcp.ok) return ok(`${tcp.port} open`, null, tcp.ms);
  const words = {
    refused: "Refused",
    timeout: "No answer",
    reset: "Reset",
    unreachable: "Unreachable",
    other: "Failed",
  };
  const second = tcp.error === "timeout" ? `in ${formatDuration(Math.max(1000, tcp.ms))}` : `port ${tcp.port}`;
  return failed(words[tcp.error ?? "other"], second, tcp.ms);
}

const connectWords: Record<number, string> = {
  403: "403 Refused",
  407: "407 Login required",
  500: "500 Proxy error",
  502: "502 Bad gateway",
  503: "503 Unavailable",
  504: "504 Gateway timeout",
};

function connectStep(probe: ProbeFacts): Draft {
  const { connect, route, endpoint } = probe;
  if (route.kind !== "proxy") return notApplicable("no proxy on this route");
  if (endpoint.kind === "http") return notApplicable("plain http needs no tunnel");
  if (!connect) return notReached;
  const { status, error, ms } = connect;
  if (error !== null) {
    const words = { timeout: "No answer", reset: "Reset", protocol: "Not HTTP", socks: "Refused by SOCKS" };
    return failed(words[error], null, ms);
  }
  if (status === null) return ok("SOCKS", "tunnel open", ms);
  if (status >= 200 && status <= 299) return ok(String(status), "tunnel open", ms);
  const schemes = proxySchemes(probe);
  const second =
    status === 407 ? `proxy offers ${schemes.length > 0 ? schemes.map(schemeName).join(", ") : "no scheme"}` : null;
  return failed(connectWords[status] ?? String(status), second, ms);
}

const schemeNames: Record<string, string> = {
  ntlm: "NTLM",
  basic: "Basic",
  negotiate: "Negotiate",
  bearer: "Bearer",
  digest: "Digest",
};
const schemeName = (scheme: string): string => (Object.hasOwn(schemeNames, scheme) ? schemeNames[scheme]! : scheme);

const day = (instant: number | null): string =>
  instant === null ? "unknown" : new Date(instant).toISOString().slice(0, 10);

function tlsStep(probe: ProbeFacts, options: ChainOptions): Draft {
  const { tls, endpoint } = probe;
  if (endpoint.kind === "http" || endpoint.kind === "tcp")
    return notApplicable(endpoint.kind === "http" ? "plain http" : "port only");
  if (!tls) return notReached;
  const issuer = issuerName(probe);
  if (tls.ok) return ok(tls.version ?? "TLS", ["name matches", issuer].filter(Boolean).join(", "), tls.ms);
  const usual = options.usualIssuer ? `fleet: ${options.usualIssuer}` : "not trusted here";
  switch (tls.error) {
    case "untrusted":
      return failed(issuer ?? "Unknown issuer", usual, tls.ms);
    case "name":
      return failed(tls.subjectCN ?? "Another name", `certificate for another name than ${endpoint.host}`, tls.ms);
    case "expired":
      return failed(
        day(tls.notAfter),
        tls.notBefore !== null && tls.notAfter !== null && tls.notBefore > tls.notAfter
          ? "dates make no sense"
          : "out of date",
        tls.ms,
      );
    case "protocol":
      return failed("No common version", tls.detail, tls.ms);
    case "reset":
      return failed("Reset", "during the handshake", tls.ms);
    case "timeout":
      return failed("No answer", `in ${formatDuration(Math.max(1000, tls.ms))}`, tls.ms);
    default:
      return failed("Failed", tls.detail, tls.ms);
  }
}

/** What a good status is, by service: the text says who answered. */
function httpStep(probe: ProbeFacts): Draft {
  const { http, endpoint } = probe;
  if (endpoint.kind === "tcp" || endpoint.kind === "tls") return notApplicable("port only");
  if (!http) return notReached;
  if (http.untrusted)
    return {
      state: "not-reached",
      value: "Not trusted",
      second: http.status === null ? null : `${http.status} seen, no proof`,
      ms: http.ms,
    };
  if (http.status === null) {
    const words = { timeout: "No answer", reset: "Reset", protocol: "Not HTTP", "too-large": "Too large" };
    return failed(
      http.error === null ? "No answer" : words[http.error],
      http.error === "timeout" ? `in ${formatDuration(Math.max(1000, http.ms))}` : null,
      http.ms,
    );
  }
  const who = http.headers["x-feserver"] ?? http.headers["x-ms-server-fqdn"] ?? http.headers.server;
  const value = who === undefined ? String(http.status) : `${http.status} from ${who}`;
  const expected = http.status === 401 || http.status === 200;
  const why = hasExchangeMarker(probe) ? "Exchange marker" : http.location === null ? null : `to ${http.location}`;
  return expected ? ok(value, why, http.ms) : failed(value, why, http.ms);
}

function authStep(probe: ProbeFacts): Draft {
  const { http, endpoint } = probe;
  if (endpoint.kind !== "https") return notApplicable(endpoint.kind === "http" ? "plain http" : "port only");
  if (!http || http.status === null || http.untrusted) return notReached;
  const schemes = offeredSchemes(probe);
  if (http.status !== 401) return notApplicable(`none with ${http.status}`);
  const value = schemes.length > 0 ? schemes.map(schemeName).join(", ") : "None";
  const windows = schemes.includes("negotiate") || schemes.includes("ntlm");
  const modern = schemes.includes("bearer") && !schemes.includes("basic");
  const lync = "x-ms-webticketurl" in http.headers;
  if (windows || modern || lync) return ok(value, null, null);
  return failed(value, "Negotiate or NTLM needed", null);
}

/** Verdicts that end a lane well, whatever the service. */
const goodAnswers = new Set<Verdict>([
  "exchange-onprem",
  "exchange-online",
  "exchange-health-ok",
  "sfb-web",
  "iis-windows-auth",
  "port-open",
  "name-found",
  "control-ok",
]);

function answerStep(probe: ProbeFacts, options: ChainOptions): Draft {
  const { verdict = null, ring = [] } = options;
  if (verdict === null) return { state: "not-reached", value: "Unknown", second: null, ms: probe.totalMs };
  const same = ring.filter((entry) => entry.verdict === verdict).length;
  const parts = [verdict, formatLatency(probe.totalMs), ring.length > 0 ? `${same} of ${ring.length} probes` : null];
  const draft = {
    value: verdictTexts[verdict],
    second: parts.filter((part) => part !== null).join(" · "),
    ms: probe.totalMs,
  };
  return { ...draft, state: goodAnswers.has(verdict) ? "ok" : "failed" };
}

const srvLane = (probe: ProbeFacts): Record<ChainStepId, Draft> => {
  const { srv } = probe;
  const none = notApplicable("a DNS record");
  const found = srv?.[0];
  const dns = found
    ? ok(`${found.host}:${found.port}`, srv && srv.length > 1 ? `+${srv.length - 1}` : null, probe.dns?.ms ?? null)
    : dnsStep(probe);
  return {
    route: none,
    dns: dns.state === "ok" && !found ? failed("No record", probe.endpoint.host, dns.ms) : dns,
    tcp: none,
    connect: none,
    tls: none,
    http: none,
    auth: none,
    answer: notReached,
  };
};

function withSpeed(id: ChainStepId, draft: Draft, options: ChainOptions): Draft {
  const usual = options.usual?.[id];
  const limit = slowLimits[id];
  if (draft.state !== "ok" || draft.ms === null || limit === undefined || draft.ms <= limit) return draft;
  // A machine that is always this slow is not late.
  if (usual !== undefined && draft.ms <= 3 * usual) return draft;
  return {
    ...draft,
    state: "slow",
    second: usual === undefined ? `late: ${formatLatency(draft.ms)}` : `late: usually ${formatLatency(usual)}`,
  };
}

/**
 * The evidence chain of one route (interface.md section 7): always eight steps in one order. After the first failed
 * step all others are "not reached", but for those that the route never has. The answer always says what was found.
 * @param probe null where nothing was probed: all steps unknown.
 */
export function evidenceChain(probe: ProbeFacts | null, options: ChainOptions = {}): ChainStep[] {
  if (!probe)
    return chainSteps.map((id) => ({
      id,
      title: chainTitles[id],
      state: "not-reached",
      value: "Unknown",
      second: id === "answer" ? "not probed" : null,
      ms: null,
    }));
  const lane: Record<ChainStepId, Draft> =
    probe.endpoint.kind === "srv"
      ? srvLane(probe)
      : {
          route: routeStep(probe, options),
          dns: dnsStep(probe),
          tcp: tcpStep(probe),
          connect: connectStep(probe),
          tls: tlsStep(probe, options),
          http: httpStep(probe),
          auth: authStep(probe),
          answer: notReached,
        };
  let walled = false;
  return chainSteps.map((id) => {
    let draft = id === "answer" ? answerStep(probe, options) : withSpeed(id, lane[id], options);
    if (id !== "answer" && walled && draft.state !== "not-applicable" && draft.value !== "Not trusted")
      draft = notReached;
    if (draft.state === "failed") {
      walled = true;
      if (options.expectedToFail)
        draft = {
          ...draft,
          state: "failed-expected",
          second: [draft.second, "expected here"].filter(Boolean).join("; "),
        };
    }
    return { id, title: chainTitles[id], ...draft };
  });
}

const letters: Record<ChainState, string> = {
  ok: "o",
  slow: "s",
  failed: "f",
  "failed-expected": "e",
  "not-reached": "n",
  "not-applicable": "x",
};
const miniSteps: readonly ChainStepId[] = ["dns", "tcp", "connect", "tls", "http", "auth"];

/** Six letters for tables (dns tcp connect tls http auth), as `machineRowSchema.chainConfigured` says; null unprobed. */
export function miniChain(probe: ProbeFacts | null, options: ChainOptions = {}): string | null {
  if (!probe) return null;
  return evidenceChain(probe, options)
    .filter(({ id }) => miniSteps.includes(id))
    .map(({ state }) => letters[state])
    .join("");
}

const spoken: Record<ChainState, string> = {
  ok: "ok",
  slow: "slow",
  failed: "failed",
  "failed-expected": "failed as expected",
  "not-reached": "not reached",
  "not-applicable": "not applicable",
};
/** A step for a screen reader: "CONNECT: failed, 407 Login required, 6 ms". */
export const stepLabel = ({ title, state, value, ms }: ChainStep): string =>
  [`${title}: ${spoken[state]}`, value, ms === null ? null : formatLatency(ms)]
    .filter((part) => part !== null)
    .join(", ");
