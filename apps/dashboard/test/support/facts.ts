import type { PacFacts, ProbeFacts, Route, SettingsFacts, SystemFacts } from "@lynceus/protocol/facts";
import type { Target } from "@lynceus/protocol/policy";

/** Facts as a real agent sends them, for tests and for the browser's fleet. Nothing is random: the same call, the same facts. */

export const domain = "contoso.com";
export const ewsHost = `mail.${domain}`;
export const scripts = {
  old: `9f3c1e${"0".repeat(58)}`,
  new: `41ab07${"1".repeat(58)}`,
  zurich: `77c0de${"2".repeat(58)}`,
};

export const direct = (by: Route["by"] = "pac"): Route => ({
  kind: "direct",
  proxy: null,
  by,
  list: by === "pac" ? "DIRECT" : "",
});

export function proxied(host: string, port = 8080, by: Route["by"] = "pac"): Route {
  return { kind: "proxy", proxy: { scheme: "http", host, port }, by, list: `PROXY ${host}:${port}` };
}

export function systemFacts(input: {
  hostname: string;
  os?: SystemFacts["os"];
  osVersion?: string;
  agentVersion?: string;
  address?: string;
  simulated?: boolean;
}): SystemFacts {
  return {
    os: input.os ?? "windows",
    osVersion: input.osVersion ?? "Windows 11 24H2",
    agentVersion: input.agentVersion ?? "1.4.2",
    hostname: input.hostname,
    domainJoined: true,
    timeZone: "Europe/Vienna",
    privateAddresses: [input.address ?? "10.40.12.17"],
    resolvers: ["10.40.0.53"],
    dnsSuffixes: [domain],
    gatewayHash: null,
    vpnUp: false,
    locationBy: "rule",
    clockSkewMs: 400,
    lync: { installed: true, running: true, version: "15.0.5603" },
    simulated: input.simulated ?? false,
  };
}

export function settingsFacts(input: {
  configurations: {
    id: string;
    pacUrl?: string | null;
    server?: string | null;
    autoDetect?: boolean;
    users?: number;
  }[];
  winhttp?: string;
}): SettingsFacts {
  const winhttp = { flags: 1, server: input.winhttp ?? "", bypass: "" };
  return {
    users: input.configurations.flatMap((c, k) =>
      Array.from({ length: c.users ?? 1 }, (_, i) => ({
        id: `user${k}-${i}`,
        configuration: c.id,
        blob: null,
        legacy: null,
        mismatch: false,
      })),
    ),
    configurations: input.configurations.map((c) => ({
      id: c.id,
      settings: {
        autoDetect: c.autoDetect ?? false,
        pacUrl: c.pacUrl ?? null,
        server: c.server ?? null,
        bypass: "*.local;<local>",
        source: "wininet-blob",
        dialect: "windows",
      },
      users: c.users ?? 1,
      probed: true,
    })),
    nobodySignedIn: false,
    winhttp64: winhttp,
    winhttp32: winhttp,
    policy: { ProxySettingsPerUser: 1, gpoManaged: true, DisableWpad: false },
    sources: [
      { name: "WinINET settings blob", outcome: "read" },
      { name: "WinINET values", outcome: "read" },
      { name: "Group policy", outcome: "read" },
      { name: "WinHTTP", outcome: "read" },
    ],
  };
}

export function pacFacts(configuration: string, sha256: string, over: Partial<PacFacts> = {}): PacFacts {
  return {
    configuration,
    origin: "pac",
    url: `http://wpad.${domain}/proxy.pac`,
    scheme: "http",
    fetch: "ok",
    authSchemes: [],
    sha256,
    bytes: 4212,
    contentType: "application/x-ns-proxy-autoconfig",
    bodyIsHtml: false,
    evalOk: true,
    evalError: null,
    urlFormsDiffer: [],
    myIpAddress: "10.40.12.17",
    capitalHostLiterals: false,
    ms: 14,
    ...over,
  };
}

/** What a probe meets on its way; everything not named goes well. */
export interface Way {
  route: Route;
  dns?: "fail" | "timeout";
  tcp?: "timeout" | "refused";
  connect?: 407 | 403 | 502;
  /** Issuer that is not trusted. */
  intercepted?: string;
  httpMs?: number;
  tcpMs?: number;
  server?: string;
  wwwAuth?: string[];
}

const addresses: Record<string, string> = {
  [ewsHost]: "10.1.20.15",
  "px1.contoso.com": "10.40.8.21",
  "px2.contoso.com": "10.20.1.9",
};

export function probeFacts(
  target: Target,
  via: "configured" | "direct",
  configuration: string,
  way: Way,
  jitter = 0,
): ProbeFacts {
  const port = target.port ?? 443;
  const proxy = way.route.kind === "proxy" ? way.route.proxy : null;
  const name = proxy?.host ?? target.host;
  const https = target.kind === "https";
  const facts: ProbeFacts = {
    configuration,
    target: target.id,
    via,
    endpoint: { service: target.service, kind: target.kind, host: target.host, port: target.port, path: target.path },
    route: via === "direct" ? { ...way.route, by: "forced" } : way.route,
    // ZoneMap is not simulated: behind a proxy the zone is not known.
    zone: proxy ? "unknown" : "intranet",
    dns: null,
    tcp: null,
    connect: null,
    tls: null,
    http: null,
    srv: null,
    timedOut: false,
    fenced: false,
    totalMs: 0,
  };
  const done = () => {
    facts.totalMs = [facts.dns, facts.tcp, facts.connect, facts.tls, facts.http].reduce((s, p) => s + (p?.ms ?? 0), 0);
    return facts;
  };
  if (way.dns) {
    facts.dns = {
      ok: false,
      name,
      rcode: way.dns === "timeout" ? "TIMEOUT" : "NXDOMAIN",
      addresses: [],
      ms: way.dns === "timeout" ? 3000 : 4,
    };
    return done();
  }
  facts.dns = { ok: true, name, rcode: "NOERROR", addresses: [addresses[name] ?? "10.1.20.40"], ms: 3 };
  if (target.kind === "srv") {
    facts.srv = [{ host: `sip.${domain}`, port: 5061, priority: 0, weight: 5 }];
    return done();
  }
  const address = facts.dns.addresses[0] ?? null;
  if (way.tcp) {
    facts.tcp = {
      ok: false,
      host: name,
      address,
      port: proxy?.port ?? port,
      error: way.tcp,
      ms: way.tcp === "timeout" ? 5000 : 2,
    };
    return done();
  }
  facts.tcp = {
    ok: true,
    host: name,
    address,
    port: proxy?.port ?? port,
    error: null,
    ms: way.tcpMs ?? (proxy ? 4 : 168 + jitter),
  };
  if (proxy && target.kind !== "http") {
    facts.connect = {
      status: way.connect ?? 200,
      error: null,
      proxyAuthSchemes: way.connect === 407 ? ["basic"] : [],
      headers: way.connect === 407 ? { "proxy-authenticate": 'Basic realm="px1"', server: "squid/6.6" } : {},
      ms: 6,
    };
    if (way.connect !== undefined) return done();
  }
  if (https || target.kind === "tls") {
    const bad = way.intercepted;
    facts.tls = {
      ok: bad === undefined,
      error: bad === undefined ? null : "untrusted",
      detail: bad === undefined ? null : "SELF_SIGNED_CERT_IN_CHAIN",
      version: "TLSv1.3",
      alpn: "http/1.1",
      issuerCN: bad ?? "Contoso Issuing CA 2",
      issuerO: bad ?? "Contoso",
      subjectCN: target.host,
      sanMatch: true,
      chainOk: bad === undefined,
      missingIntermediate: false,
      notBefore: 1_750_000_000_000,
      notAfter: 1_820_000_000_000,
      spkiSha256: (bad === undefined ? "ab" : "cd").repeat(32),
      ms: 172 + jitter,
    };
    if (bad !== undefined) return done();
  }
  if (https || target.kind === "http") facts.http = httpPhase(target, way, jitter);
  return done();
}

function httpPhase(target: Target, way: Way, jitter: number): NonNullable<ProbeFacts["http"]> {
  const exchange = ["ews", "autodiscover", "apex", "mapi", "oab"].includes(target.service);
  const windows = ["lync-rgs", "lync-abs"].includes(target.service);
  const health = target.service === "exchange-health";
  const lync = ["lync-discover", "lync-web"].includes(target.service);
  const headers: Record<string, string> = { server: "Microsoft-IIS/10.0" };
  if (exchange) Object.assign(headers, { "x-feserver": way.server ?? "EX03", "request-id": "0" });
  if (lync) headers["x-ms-server-fqdn"] = `lync01.${domain}`;
  return {
    status: exchange || windows ? 401 : 200,
    error: null,
    wwwAuth: exchange || windows ? (way.wwwAuth ?? ["negotiate", "ntlm"]) : [],
    bearerClientId: null,
    headers,
    location: null,
    bodyClass: health ? "health-ok" : lync ? "json-links" : target.service === "control" ? "control-ok" : "empty",
    proto: "HTTP/1.1",
    untrusted: false,
    redirects: [],
    ms: way.httpMs ?? 176 + jitter,
  };
}
