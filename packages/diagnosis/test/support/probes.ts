import type { DnsPhase, HttpPhase, ProbeFacts, Route, TcpPhase, TlsPhase } from "@lynceus/protocol/facts";
import type { Policy, Target } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import { exchangeClientId, parseWwwAuthenticate, schemesOf } from "@lynceus/protocol/www-authenticate";

/* Probes as they come from the wire, said in words. Each function gives the phases of one kind of outcome. */

export type Phases = Pick<ProbeFacts, "dns" | "tcp" | "connect" | "tls" | "http" | "srv">;

export const nothing: Phases = { dns: null, tcp: null, connect: null, tls: null, http: null, srv: null };

export const dnsOk = (name = "mail.example.org", addresses = ["10.1.20.15"]): DnsPhase => ({
  ok: true,
  name,
  rcode: "NOERROR",
  addresses,
  ms: 3,
});
export const dnsFailure = (rcode: string, name = "mail.example.org"): Phases => ({
  ...nothing,
  dns: { ok: false, name, rcode, addresses: [], ms: rcode === "TIMEOUT" ? 3000 : 4 },
});

export const tcpOk = (address = "10.1.20.15", port = 443): TcpPhase => ({
  ok: true,
  host: address,
  address,
  port,
  error: null,
  ms: 8,
});
const tcpFailure = (error: "refused" | "timeout" | "reset", address: string): Phases => ({
  ...nothing,
  dns: dnsOk(),
  tcp: { ...tcpOk(address), ok: false, error, ms: error === "timeout" ? 5000 : 2 },
});
export const tcpTimeout = (address = "10.1.20.15") => tcpFailure("timeout", address);
export const tcpRefused = (address = "10.1.20.15") => tcpFailure("refused", address);
export const tcpReset = (address = "10.1.20.15") => tcpFailure("reset", address);

export const companyCa = { issuerCN: "Contoso Issuing CA 2", issuerO: "Contoso", spkiSha256: "aa".repeat(32) };
export const tlsOk = (over: Partial<TlsPhase> = {}): TlsPhase => ({
  ok: true,
  error: null,
  detail: null,
  version: "TLSv1.3",
  alpn: "http/1.1",
  ...companyCa,
  subjectCN: "mail.example.org",
  sanMatch: true,
  chainOk: true,
  missingIntermediate: false,
  notBefore: 1_700_000_000_000,
  notAfter: 1_900_000_000_000,
  ms: 12,
  ...over,
});
export const tlsFailure = (error: TlsPhase["error"], over: Partial<TlsPhase> = {}): Phases => ({
  ...nothing,
  dns: dnsOk(),
  tcp: tcpOk(),
  tls: tlsOk({ ok: false, error, chainOk: false, ...over }),
});

interface Answer {
  status: number;
  /** Values of WWW-Authenticate as sent. */
  wwwAuth?: string[];
  headers?: Record<string, string>;
  bodyClass?: HttpPhase["bodyClass"];
  location?: string;
  ms?: number;
}

/** An HTTP answer as the prober reports it: headers lower case, schemes parsed, the one Bearer parameter kept. */
export function httpAnswer({
  status,
  wwwAuth = [],
  headers = {},
  bodyClass = "empty",
  location,
  ms = 20,
}: Answer): HttpPhase {
  const challenges = parseWwwAuthenticate(wwwAuth);
  return {
    status,
    error: null,
    wwwAuth: schemesOf(challenges),
    bearerClientId: challenges.find(({ scheme }) => scheme === "bearer")?.params.get("client_id") ?? null,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    location: location ?? null,
    bodyClass,
    proto: "HTTP/1.1",
    untrusted: false,
    redirects: [],
    ms,
  };
}

/** Everything up to TLS went well, then this answer. */
export const answered = (answer: Answer, tls: Partial<TlsPhase> = {}): Phases => ({
  ...nothing,
  dns: dnsOk(),
  tcp: tcpOk(),
  tls: tlsOk(tls),
  http: httpAnswer(answer),
});

const exchangeHeaders = { server: "Microsoft-IIS/10.0", "x-feserver": "EX03", "request-id": "0f6592d3" };
/** The healthy answer of EWS: 401 from Exchange with Negotiate and NTLM. */
export const exchangeAnswer = (tls: Partial<TlsPhase> = {}): Phases =>
  answered({ status: 401, wwwAuth: ["Negotiate", "NTLM"], headers: exchangeHeaders }, tls);
export const slowExchangeAnswer = (ms: number): Phases =>
  answered({ status: 401, wwwAuth: ["Negotiate", "NTLM"], headers: exchangeHeaders, ms });
export const basicOnlyExchange = (): Phases =>
  answered({ status: 401, wwwAuth: ['Basic realm="mail"'], headers: exchangeHeaders });
export const exchangeOnlineAnswer = (): Phases =>
  answered({ status: 401, wwwAuth: [`Bearer client_id="${exchangeClientId}"`], headers: { "request-id": "1" } });
export const healthPage = (): Phases => answered({ status: 200, bodyClass: "health-ok" });
export const lyncAnswer = (): Phases =>
  answered({ status: 200, bodyClass: "json-links", headers: { "x-ms-server-fqdn": "fe1.example.org" } });
export const windowsLogin = (): Phases =>
  answered({ status: 401, wwwAuth: ["Negotiate", "NTLM"], headers: { server: "Microsoft-IIS/10.0" } });
export const serviceUnavailable = (): Phases =>
  answered({ status: 503, headers: { server: "Microsoft-HTTPAPI/2.0" }, bodyClass: "html" });
export const webSite = (): Phases => answered({ status: 200, bodyClass: "html", headers: { server: "nginx" } });
export const openPort = (address = "10.1.30.5", port = 5061): Phases => ({
  ...nothing,
  dns: dnsOk("sip.example.org", [address]),
  tcp: tcpOk(address, port),
  tls: tlsOk(),
});

export const controlPage = (): Phases => ({
  ...nothing,
  dns: dnsOk("www.msftconnecttest.com", ["13.107.4.52"]),
  tcp: tcpOk("13.107.4.52", 80),
  http: httpAnswer({ status: 200, bodyClass: "control-ok" }),
});
export const portalPage = (): Phases => ({
  ...nothing,
  dns: dnsOk("www.msftconnecttest.com", ["10.0.0.1"]),
  tcp: tcpOk("10.0.0.1", 80),
  http: httpAnswer({ status: 302, location: "http://login.hotel-wifi.example/" }),
});

/** A record, and where it leads. */
export const srvRecord = (host: string, port: number): Phases => ({
  ...nothing,
  dns: dnsOk("_sipinternaltls._tcp.example.org", []),
  srv: [{ host, port, priority: 0, weight: 0 }],
});
export const noRecord = (name = "_autodiscover._tcp.example.org"): Phases => ({
  ...nothing,
  dns: { ok: false, name, rcode: "NXDOMAIN", addresses: [], ms: 2 },
  srv: [],
});

export const direct: Route = { kind: "direct", proxy: null, by: "none", list: "" };
export const through = (proxy: string, by: Route["by"] = "manual"): Route => {
  const [host = "", port = "8080"] = proxy.split(":");
  return { kind: "proxy", proxy: { scheme: "http", host, port: Number(port) }, by, list: proxy };
};

const tunnel = (status: number | null, over: Partial<NonNullable<ProbeFacts["connect"]>> = {}): Phases => ({
  ...nothing,
  dns: dnsOk("px1.example.org", ["10.40.8.21"]),
  tcp: tcpOk("10.40.8.21", 8080),
  connect: { status, error: null, proxyAuthSchemes: [], headers: {}, ms: 6, ...over },
});
/** The proxy opened the tunnel, then this. */
export const tunnelled = (phases: Phases): Phases => ({ ...tunnel(200), tls: phases.tls, http: phases.http });
export const proxyLogin = (...schemes: string[]): Phases => tunnel(407, { proxyAuthSchemes: schemes });
export const proxyRefusal = (): Phases => tunnel(403, { headers: { "x-squid-error": "ERR_ACCESS_DENIED 0" } });
export const proxyCannotReach = (status = 503): Phases => tunnel(status);
export const proxySilent = (): Phases => tunnel(null, { error: "timeout" });
export const deadProxy = (error: "refused" | "timeout" = "refused"): Phases => ({
  ...nothing,
  dns: dnsOk("px1.example.org", ["10.40.8.21"]),
  tcp: { ...tcpOk("10.40.8.21", 8080), ok: false, error, ms: error === "timeout" ? 5000 : 1 },
});
export const deadProxyAddress = (): Phases => ({
  ...nothing,
  dns: { ok: true, name: "10.40.8.21", rcode: "LITERAL", addresses: ["10.40.8.21"], ms: 0 },
  tcp: { ...tcpOk("10.40.8.21", 8080), ok: false, error: "timeout", ms: 5000 },
});

/** One organisation with everything: Exchange, two Lync web hosts, SIP, controls. */
export const policy = (over: Partial<Policy["expectations"]> = {}): Policy => {
  const built = buildPolicy(
    {
      ews: ["mail.example.org"],
      smtpDomains: ["example.org"],
      sipDomains: ["example.org"],
      lyncWeb: ["web.example.org"],
    },
    1,
  );
  return { ...built, expectations: { ...built.expectations, ...over } };
};

/** Target of the policy. @throws where the id is none, so that a test with a wrong id fails. */
export function targetOf(id: string, of: Policy = policy()): Target {
  const target = of.targets.find((candidate) => candidate.id === id);
  if (!target) throw new RangeError(`no target ${id}; one of ${of.targets.map((each) => each.id).join(", ")}`);
  return target;
}

/** A probe of a target of the policy. */
export function probe(
  target: Target,
  phases: Phases,
  {
    via = "configured",
    route = direct,
    configuration = "c1",
    zone = "unknown",
  }: Partial<Pick<ProbeFacts, "via" | "route" | "configuration" | "zone">> = {},
): ProbeFacts {
  const { kind, host, port, path, service } = target;
  const total = [phases.dns, phases.tcp, phases.connect, phases.tls, phases.http].reduce(
    (sum, phase) => sum + (phase?.ms ?? 0),
    0,
  );
  return {
    configuration,
    target: target.id,
    via,
    endpoint: { service, kind, host, port, path },
    route,
    zone,
    ...phases,
    timedOut: false,
    fenced: false,
    totalMs: total,
  };
}
