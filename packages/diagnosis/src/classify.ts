import type { ProbeFacts } from "@lynceus/protocol/facts";
import { isLoginFormPath } from "@lynceus/protocol/login-form";
import type { Verdict } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import { exchangeClientId, parseWwwAuthenticate, schemesOf } from "@lynceus/protocol/www-authenticate";

/** What of the policy the classifier needs: whose hosts a redirect may name (rule 10). */
export type Expectations = Pick<Policy["expectations"], "smtpDomains" | "sipDomains" | "ssoHosts">;

const exchangeServices = new Set(["ews", "autodiscover", "apex", "mapi", "oab", "exchange-health"]);

/** Names proxies give themselves in `Server` (domain 3.4, footnote). */
const proxyServer =
  /squid|zscaler|bluecoat|mcafee web gateway|websense|forcepoint|cisco.*wsa|fortiproxy|netskope|prisma ?access/i;
/** Block pages of proxy vendors live here: a redirect to one is a refusal, not a portal (5.0 rule 6). */
const proxyVendorHosts = [
  "zscaler.net",
  "zscaler.com",
  "zscalerone.net",
  "zscalertwo.net",
  "zscalerthree.net",
  "zscloud.net",
  "goskope.com",
  "netskope.com",
  "threatpulse.net",
  "blackspider.com",
  "mailcontrol.com",
  "iboss.com",
  "menlosecurity.com",
  "prismaaccess.com",
];
const microsoftHosts = [
  "microsoft.com",
  "microsoftonline.com",
  "microsoftonline-p.com",
  "windows.net",
  "office.com",
  "office365.com",
  "outlook.com",
  "live.com",
  "lync.com",
  "msftconnecttest.com",
];
const microsoftCloud = ["office365.com", "outlook.com", "office.com"];

/** Whether `host` is `domain` or below it. */
export const within = (host: string, domain: string): boolean => {
  const name = host.toLowerCase().replace(/\.$/, "");
  const suffix = domain.toLowerCase().replace(/\.$/, "");
  return suffix !== "" && (name === suffix || name.endsWith(`.${suffix}`));
};

const parseUrl = (text: string): URL | null => {
  try {
    return new URL(text);
  } catch {
    return null;
  }
};

/** Host of the last redirect that was followed; they are reported as `host` or `host:port`. */
function lastHost(redirects: readonly string[]): string | null {
  const last = redirects.at(-1);
  return last === undefined ? null : (parseUrl(last.includes("://") ? last : `https://${last}`)?.hostname ?? null);
}

/** The domain a target belongs to: its host without the first label, where at least two labels remain. */
const parentDomain = (host: string): string => {
  const labels = host.split(".");
  return labels.length > 2 ? labels.slice(1).join(".") : host;
};

/** Schemes a proxy offered with its 407, lower case; empty when none was seen. */
export function proxySchemes(probe: ProbeFacts): string[] {
  if (probe.connect && probe.connect.proxyAuthSchemes.length > 0)
    return probe.connect.proxyAuthSchemes.map((scheme) => scheme.toLowerCase());
  const header = probe.http?.headers["proxy-authenticate"] ?? probe.connect?.headers["proxy-authenticate"];
  return header === undefined ? [] : schemesOf(parseWwwAuthenticate([header]));
}

/** Schemes of the answer's WWW-Authenticate, lower case and trimmed. */
export const offeredSchemes = (probe: ProbeFacts): string[] =>
  (probe.http?.wwwAuth ?? []).map((scheme) => scheme.trim().toLowerCase());

/** Marks that only Exchange's front end makes (domain 3.1, rule 12). */
export function hasExchangeMarker(probe: ProbeFacts): boolean {
  const { http } = probe;
  if (!http) return false;
  const marked = ["x-feserver", "request-id", "x-caserrorcode", "x-owa-version"].some((name) => name in http.headers);
  return marked || http.bearerClientId?.toLowerCase() === exchangeClientId;
}

/** Whether the answer was a proxy's own, not the origin's (footnote of 3.4). */
function hasProxyMarker(probe: ProbeFacts, direct: ProbeFacts | null): boolean {
  const { http } = probe;
  if (!http) return false;
  if ("x-squid-error" in http.headers || "proxy-authenticate" in http.headers || http.bodyClass === "proxy-page")
    return true;
  if (proxyServer.test(http.headers.server ?? "")) return true;
  if ("via" in http.headers && direct?.http && !("via" in direct.http.headers)) return true;
  // Over https an explicit proxy can only speak before the tunnel.
  return probe.endpoint.kind === "https" && probe.route.kind === "proxy" && probe.tls === null;
}

const tlsVerdicts = {
  name: "tls-name",
  untrusted: "tls-untrusted",
  expired: "tls-expired",
  protocol: "tls-protocol",
  reset: "tls-reset",
  // Connected and then silence: the same to a client, whether in TLS or after it.
  timeout: "http-timeout",
  other: "tls-other",
} as const satisfies Record<string, Verdict>;

/** Rules 1 to 9: how far the probe came. Null when an answer was read, or nothing more was to be done. */
function classifyPath(probe: ProbeFacts, direct: ProbeFacts | null): Verdict | null {
  const { dns, tcp, connect, tls, http, route } = probe;
  const proxied = route.kind === "proxy";
  if (dns && !dns.ok) return proxied ? "proxy-unreachable" : "dns-fail";
  if (proxied && tcp && !tcp.ok) return "proxy-unreachable";
  if (connect?.status === 407 || http?.status === 407) return "proxy-auth-required";
  const marked = hasProxyMarker(probe, direct);
  if (connect?.status === 403 || (http?.status === 403 && marked)) return "proxy-blocked";
  const gateway = [502, 503, 504];
  if (gateway.includes(connect?.status ?? 0) || (marked && gateway.includes(http?.status ?? 0)))
    return "proxy-upstream-fail";
  if (connect?.error === "timeout") return "proxy-upstream-fail";
  if (connect && (connect.error !== null || connect.status === null || connect.status < 200 || connect.status > 299)) {
    // SOCKS has no status: no error means that it went through.
    const throughSocks = connect.error === null && connect.status === null && route.proxy?.scheme.startsWith("socks");
    if (!throughSocks) return "proxy-error";
  }
  if (tcp && !tcp.ok)
    return tcp.error === "refused" ? "tcp-refused" : tcp.error === "reset" ? "tcp-reset" : "tcp-timeout";
  // The page of a broken session is evidence only: the handshake's failure is the verdict.
  if (tls && !tls.ok) return tls.error === null ? "tls-other" : tlsVerdicts[tls.error];
  if (http?.status === null) {
    if (http.error === "timeout") return "http-timeout";
    if (http.error === "reset") return "tcp-reset";
  }
  if (probe.timedOut && !http) {
    if (tls || (tcp && probe.endpoint.kind !== "tcp")) return "http-timeout";
    if (dns && !tcp) return proxied ? "proxy-unreachable" : "tcp-timeout";
  }
  return null;
}

function classifyRedirect(probe: ProbeFacts, expectations: Expectations): Verdict | null {
  const { http, endpoint } = probe;
  if (!http || http.status === null || http.status < 300 || http.status > 399 || http.location === null) return null;
  const url = parseUrl(http.location);
  // A relative location stays on the host.
  const host = (url?.hostname ?? endpoint.host).toLowerCase();
  if (proxyVendorHosts.some((domain) => within(host, domain))) return "proxy-blocked";
  const own = [
    endpoint.host,
    parentDomain(endpoint.host.toLowerCase()),
    ...expectations.smtpDomains,
    ...expectations.sipDomains,
    ...expectations.ssoHosts,
    ...microsoftHosts,
  ];
  if (host !== "" && !own.some((domain) => within(host, domain))) return "captive-portal";
  return isLoginFormPath(url?.pathname ?? http.location) ? "preauth-form" : null;
}

/** Rules 10 to 22: what answered. */
function classifyAnswer(probe: ProbeFacts, expectations: Expectations): Verdict {
  const { http, endpoint } = probe;
  if (!http || http.status === null) return "unknown-answer";
  const { status, headers, bodyClass } = http;
  const path = (endpoint.path ?? "").toLowerCase();
  const server = headers.server ?? "";
  const iis = /microsoft-(?:iis|httpapi)/i.test(server);
  const exchangeHost = exchangeServices.has(endpoint.service);

  if (status === 511) return "captive-portal";
  const redirect = classifyRedirect(probe, expectations);
  if (redirect) return redirect;
  if (endpoint.service === "control") {
    if (status === 200 && bodyClass === "control-ok") return "control-ok";
    if (status === 200 && (bodyClass === "html" || bodyClass === "html-form")) return "captive-portal";
    if (status === 200) return "unexpected-200";
  }

  const offered = offeredSchemes(probe);
  const windows = offered.includes("negotiate") || offered.includes("ntlm");
  const marker = hasExchangeMarker(probe);
  if (status === 401) {
    const bearer = http.bearerClientId?.toLowerCase() === exchangeClientId;
    const answeredBy = lastHost(http.redirects) ?? endpoint.host;
    if (bearer && !windows && microsoftCloud.some((domain) => within(answeredBy, domain))) return "exchange-online";
    if (windows && marker) return "exchange-onprem";
    if (offered.includes("basic") && !windows && marker) return "exchange-basic-only";
  }
  if (status === 200 && path.endsWith("healthcheck.htm") && bodyClass === "health-ok") return "exchange-health-ok";
  if (status === 503 && (path.endsWith("healthcheck.htm") || exchangeHost) && iis) return "exchange-down";
  // A Front End that reports an error marks its answers too: that is no health.
  const lyncMarked = "x-ms-server-fqdn" in headers || "x-ms-webticketurl" in headers || bodyClass === "json-links";
  if (lyncMarked && status < 500) return "sfb-web";
  if (status === 401 && windows && iis && !marker) return "iis-windows-auth";
  if (status === 401 && offered.includes("basic") && !windows) return "other-basic-auth";
  if (status === 440 || (status === 200 && isLoginFormPath(path))) return "preauth-form";
  if (status === 403) return "forbidden";
  if (status === 404) return "not-found";
  if (status >= 500 && status <= 599) return "server-error";
  if (status === 200 && exchangeHost) return "unexpected-200";
  return "unknown-answer";
}

/**
 * Verdict of one probe: the 22 ordered rules of domain 3.4 as overridden by 5.0 rules 4 and 6.
 *
 * Beyond the text: a name or port that fails behind a proxy is the proxy's (rule 4); a TLS handshake that hangs is
 * `http-timeout`; a CONNECT that is never answered is `proxy-upstream-fail`; a fenced or unroutable probe proves
 * nothing (`unknown-answer`).
 * @param direct the direct probe of the same target where there is one: a `Via` that only the other route shows
 *   marks a proxy's own answer.
 */
export function classify(probe: ProbeFacts, expectations: Expectations, direct: ProbeFacts | null = null): Verdict {
  const { endpoint, dns } = probe;
  if (probe.fenced) return "unknown-answer";
  if (endpoint.kind === "srv") {
    // Port 0 or the root as target says "decidedly not available" (RFC 2782).
    const usable = (probe.srv ?? []).filter(({ host, port }) => port > 0 && host !== "" && host !== ".");
    if (usable.length > 0) return "name-found";
    if (dns?.ok || dns?.rcode === "NXDOMAIN" || dns?.rcode === "NODATA") return "name-missing";
    return dns ? "dns-fail" : "unknown-answer";
  }
  if (probe.route.kind === "unknown") return "unknown-answer";
  const path = classifyPath(probe, direct);
  if (path) return path;
  if (endpoint.kind === "tcp") return probe.tcp?.ok ? "port-open" : "unknown-answer";
  if (endpoint.kind === "tls") return probe.tls?.ok ? "port-open" : "unknown-answer";
  return classifyAnswer(probe, expectations);
}
