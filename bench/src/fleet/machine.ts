import { createHash } from "node:crypto";
import type {
  Configuration,
  ObservationKind,
  PacFacts,
  ProbeFacts,
  Route,
  SettingsFacts,
  SystemFacts,
  WpadFacts,
} from "@lynceus/protocol/facts";
import type { Location } from "@lynceus/protocol/names";
import type { Policy, Target } from "@lynceus/protocol/policy";
import type { Fault } from "./faults.ts";
import { pick, type Random } from "./random.ts";

/** A site of a simulated company: its private network, the first two octets, and whether its way out is a proxy. */
export interface Site {
  readonly name: string;
  readonly network: string;
  readonly proxied: boolean;
}

/** Sites of the company that is simulated where nothing else is asked for. */
export const sites: readonly Site[] = [
  { name: "Berlin (simulated)", network: "10.201", proxied: false },
  { name: "Singapore (simulated)", network: "10.202", proxied: true },
  { name: "Zürich (simulated)", network: "10.203", proxied: false },
  { name: "Manila (simulated)", network: "10.204", proxied: true },
];

export interface SimulatedMachine {
  readonly index: number;
  /** Place in the fleet, 0–1: what the fault script selects by. */
  readonly position: number;
  readonly hostname: string;
  readonly site: Site;
  readonly address: string;
  readonly osVersion: string;
  readonly agentVersion: string;
  readonly random: Random;
}

export function makeMachine(
  index: number,
  count: number,
  random: Random,
  company: readonly Site[] = sites,
): SimulatedMachine {
  const site = company[index % company.length] as Site;
  const head = site.name.slice(0, 3).toUpperCase().replace("Ü", "U");
  return {
    index,
    position: Math.floor(index / company.length) / Math.max(1, Math.ceil(count / company.length)),
    hostname: `SIM-${head}-${pick(random, ["LT", "WS"])}-${String(index).padStart(5, "0")}`,
    site,
    address: `${site.network}.${(index >> 8) & 255}.${(index & 253) + 1}`,
    osVersion: pick(random, ["Windows 11 24H2", "Windows 11 23H2", "Windows 10 22H2"]),
    agentVersion: "0.1.0",
    random,
  };
}

/** What is to be sent; the sender adds number, time and digest. */
export interface Draft {
  readonly kind: ObservationKind;
  readonly key: string;
  readonly location: Location;
  readonly facts: unknown;
}

/** Digest of facts without durations: two cycles that saw the same have the same. */
export const digestOf = (draft: Draft): string =>
  createHash("sha256")
    .update(JSON.stringify(draft.facts, (key, value) => (key === "ms" || key === "totalMs" ? undefined : value)))
    .digest("hex")
    .slice(0, 32);

const configurationId = "sim-1";
const spki = (text: string) => createHash("sha256").update(text).digest("hex");

interface Path {
  readonly route: Route;
  /** The route's proxy, as far as it is one. */
  readonly fault: Fault;
}

function phaseTimes(random: Random, base: number) {
  const around = (ms: number) => Math.round(ms * (0.8 + random() * 0.4) * 10) / 10;
  return {
    dns: around(2),
    tcp: around(base),
    connect: around(base + 3),
    tls: around(base * 2 + 4),
    http: around(base + 8),
  };
}

const windowsOffer = ["negotiate", "ntlm"];

function httpAnswer(target: Target, fault: Fault, ms: number, server: string): NonNullable<ProbeFacts["http"]> {
  const answer: NonNullable<ProbeFacts["http"]> = {
    status: 401,
    error: null,
    wwwAuth: windowsOffer,
    bearerClientId: null,
    headers: {},
    location: null,
    bodyClass: "empty",
    proto: "HTTP/1.1",
    untrusted: false,
    redirects: [],
    ms,
  };
  const exchange = { server: "Microsoft-IIS/10.0", "x-feserver": server, "x-powered-by": "ASP.NET" };
  const onExchange = ["ews", "autodiscover", "mapi", "oab", "exchange-health"].includes(target.service);
  if (fault === "ews-stopped" && onExchange) {
    return { ...answer, status: 503, wwwAuth: [], headers: { server: "Microsoft-HTTPAPI/2.0" }, bodyClass: "html" };
  }
  switch (target.service) {
    case "ews":
    case "mapi":
    case "oab":
      return { ...answer, headers: exchange };
    case "autodiscover":
      return {
        ...answer,
        wwwAuth: [...windowsOffer, "basic"],
        headers: { ...exchange, "x-caserrorcode": "UnauthenticatedRequest" },
      };
    case "exchange-health":
      return { ...answer, status: 200, wwwAuth: [], headers: exchange, bodyClass: "health-ok" };
    case "lync-discover":
      return {
        ...answer,
        status: 200,
        wwwAuth: [],
        headers: { "x-ms-server-fqdn": "fe01.example.org" },
        bodyClass: "json-links",
      };
    case "lync-rgs":
    case "lync-abs":
    case "lync-web":
      return { ...answer, headers: { server: "Microsoft-IIS/10.0", "x-ms-server-fqdn": "fe01.example.org" } };
    case "control":
      return { ...answer, status: 200, wwwAuth: [], bodyClass: "control-ok" };
    default:
      return { ...answer, status: 404, wwwAuth: [], headers: { server: "nginx" }, bodyClass: "html" };
  }
}

function probe(machine: SimulatedMachine, target: Target, via: "configured" | "direct", path: Path): ProbeFacts {
  const { random } = machine;
  const times = phaseTimes(random, machine.site.proxied ? 40 : 6);
  const proxy = via === "configured" ? path.route.proxy : null;
  const { fault } = path;
  const exchangeHost = ["ews", "autodiscover", "mapi", "oab", "exchange-health"].includes(target.service);
  const facts: ProbeFacts = {
    configuration: configurationId,
    target: target.id,
    via,
    endpoint: { service: target.service, kind: target.kind, host: target.host, port: target.port, path: target.path },
    route: via === "direct" ? { kind: "direct", proxy: null, by: "forced", list: "DIRECT" } : path.route,
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
  const name = proxy?.host ?? target.host;
  const done = (): ProbeFacts => ({
    ...facts,
    totalMs:
      Math.round(
        [facts.dns, facts.tcp, facts.connect, facts.tls, facts.http].reduce((sum, phase) => sum + (phase?.ms ?? 0), 0) *
          10,
      ) / 10,
  });
  if (fault === "no-network-names") {
    facts.dns = { ok: false, name, rcode: "TIMEOUT", addresses: [], ms: 3000 };
    return done();
  }
  const address = proxy ? "10.200.0.8" : target.service === "control" ? "203.0.113.20" : "10.200.0.20";
  facts.dns = { ok: true, name, rcode: "NOERROR", addresses: [address], ms: times.dns };
  if (target.kind === "srv") {
    facts.srv = target.service === "sip-srv" ? [{ host: "sip.example.org", port: 5061, priority: 0, weight: 5 }] : [];
    if (facts.srv.length === 0) facts.dns = { ...facts.dns, ok: false, rcode: "NXDOMAIN", addresses: [] };
    return done();
  }
  const port = proxy?.port ?? target.port ?? 443;
  const tcp = (error: NonNullable<ProbeFacts["tcp"]>["error"], ms: number) => ({
    ok: error === null,
    host: name,
    address,
    port,
    error,
    ms,
  });
  if (proxy && fault === "proxy-dead") {
    facts.tcp = tcp("refused", times.tcp);
    return done();
  }
  if (!proxy && exchangeHost && fault === "port-closed") {
    facts.tcp = tcp("refused", times.tcp);
    return done();
  }
  facts.tcp = tcp(null, times.tcp);
  if (proxy && target.kind !== "http") {
    const login = fault === "proxy-login" ? ["basic"] : fault === "proxy-silent-login" ? windowsOffer : null;
    const status = login && exchangeHost ? 407 : fault === "proxy-refuses" && exchangeHost ? 403 : 200;
    facts.connect = {
      status,
      error: null,
      proxyAuthSchemes: status === 407 ? (login as string[]) : [],
      ms: times.connect,
      headers:
        status === 200
          ? {}
          : {
              server: "squid/6.9",
              "x-squid-error": status === 407 ? "ERR_CACHE_ACCESS_DENIED 0" : "ERR_ACCESS_DENIED 0",
              via: "1.1 px2 (squid/6.9)",
            },
    };
    if (status !== 200) return done();
  }
  if (target.kind === "https" || target.kind === "tls") {
    const intercepted = fault === "interception";
    const issuer = intercepted
      ? "ESET SSL Filter CA"
      : target.service === "control"
        ? "Example Public CA"
        : "Example Issuing CA 2";
    facts.tls = {
      ok: true,
      error: null,
      detail: null,
      version: "TLSv1.3",
      alpn: "http/1.1",
      issuerCN: issuer,
      issuerO: intercepted ? "ESET" : "Example",
      subjectCN: target.host,
      sanMatch: true,
      chainOk: true,
      missingIntermediate: false,
      notBefore: 1_780_000_000_000,
      notAfter: 1_830_000_000_000,
      spkiSha256: spki(intercepted ? `eset ${machine.index}` : target.host),
      ms: times.tls,
    };
  }
  if (target.kind === "https" || target.kind === "http") {
    facts.http = httpAnswer(target, fault, times.http, pick(random, ["EX01", "EX01", "EX01"]));
  }
  return done();
}

/** One cycle's observations of a machine with a fault, in the order the agent sends them. */
export function observe(machine: SimulatedMachine, policy: Policy, fault: Fault): Draft[] {
  const usesScript = fault === "script-gone";
  const usesProxy =
    machine.site.proxied || fault === "proxy-dead" || fault === "proxy-refuses" || fault === "proxy-silent-login";
  const proxyHost =
    fault === "proxy-dead"
      ? "oldproxy.example.org"
      : fault === "proxy-login" || fault === "proxy-silent-login"
        ? "px2.example.org"
        : "px1.example.org";
  const server = `${proxyHost}:8080`;
  const route: Route = usesProxy
    ? { kind: "proxy", proxy: { scheme: "http", host: proxyHost, port: 8080 }, by: "manual", list: server }
    : { kind: "direct", proxy: null, by: "none", list: "" };
  const settings: Configuration["settings"] = {
    autoDetect: !usesProxy && !usesScript,
    pacUrl: usesScript ? "http://scripts.example.org/proxy.pac" : null,
    server: usesProxy ? server : null,
    bypass: usesProxy ? "<local>" : "",
    source: "wininet-blob",
    dialect: "windows",
  };
  const location: Location = policy.beacon || policy.insideSuffixes.length > 0 ? "inside" : "unknown";
  const system: SystemFacts = {
    os: "windows",
    osVersion: machine.osVersion,
    agentVersion: machine.agentVersion,
    hostname: machine.hostname,
    domainJoined: true,
    timeZone: "Europe/Berlin",
    privateAddresses: [machine.address],
    resolvers: ["10.200.0.53"],
    dnsSuffixes: ["example.org"],
    gatewayHash: null,
    vpnUp: false,
    locationBy: location === "inside" ? "rule" : "none",
    clockSkewMs: 400,
    lync: { installed: true, running: true, version: "16.0" },
    simulated: true,
  };
  const settingsFacts: SettingsFacts = {
    users: [{ id: "user-1", configuration: configurationId, blob: null, legacy: null, mismatch: false }],
    configurations: [{ id: configurationId, settings, users: 1, probed: true }],
    nobodySignedIn: false,
    winhttp64: null,
    winhttp32: null,
    policy: { ProxySettingsPerUser: null, gpoManaged: null, DisableWpad: null },
    sources: [{ name: "simulated", outcome: "read" }],
  };
  const drafts: Draft[] = [
    { kind: "system", key: "system", location, facts: system },
    { kind: "settings", key: "settings", location, facts: settingsFacts },
  ];
  if (settings.autoDetect) {
    const wpad: WpadFacts = { tried: true, dhcp252Url: null, dnsHost: null, addresses: [], fetch: "dns" };
    drafts.push({ kind: "wpad", key: "wpad", location, facts: wpad });
  }
  if (usesScript) {
    const pac: PacFacts = {
      configuration: configurationId,
      origin: "pac",
      url: settings.pacUrl ?? "",
      scheme: "http",
      fetch: "http-404",
      authSchemes: [],
      sha256: null,
      bytes: 0,
      contentType: "text/html",
      bodyIsHtml: true,
      evalOk: null,
      evalError: null,
      urlFormsDiffer: [],
      myIpAddress: null,
      capitalHostLiterals: false,
      ms: 12,
    };
    drafts.push({ kind: "pac", key: `pac:${configurationId}`, location, facts: pac });
  }
  for (const target of policy.targets) {
    if (!target.locations.includes(location)) continue;
    for (const via of route.kind === "proxy" ? (["configured", "direct"] as const) : (["configured"] as const)) {
      drafts.push({
        kind: "probe",
        key: `probe:${configurationId}:${target.id}:${via}`,
        location,
        facts: probe(machine, target, via, {
          route,
          fault: via === "direct" && fault === "proxy-dead" ? "none" : fault,
        }),
      });
    }
  }
  return drafts;
}

/** The phase timings of a probe, for a confirmation; null for other kinds. */
export function timingsOf(draft: Draft) {
  if (draft.kind !== "probe") return null;
  const facts = draft.facts as ProbeFacts;
  return {
    dns: facts.dns?.ms ?? null,
    tcp: facts.tcp?.ms ?? null,
    connect: facts.connect?.ms ?? null,
    tls: facts.tls?.ms ?? null,
    http: facts.http?.ms ?? null,
    total: facts.totalMs,
  };
}
