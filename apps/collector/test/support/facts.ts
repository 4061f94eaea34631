import type { Confirmation, ProbeFacts, RawObservation, SystemFacts } from "@lynceus/protocol/facts";
import { buildPolicy } from "@lynceus/protocol/presets";

export const configurationId = "c0ffee00";
export const ewsKey = `probe:${configurationId}:ews:configured`;

export const testPolicy = (version: number) =>
  buildPolicy({ ews: ["mail.example.org"], smtpDomains: ["example.org"], sipDomains: [] }, version);

/** EWS over a direct route: a healthy Exchange, unless `http` or `tcp` say otherwise. */
export function ewsProbe(change: Partial<ProbeFacts> = {}): ProbeFacts {
  return {
    configuration: configurationId,
    target: "ews",
    via: "configured",
    endpoint: { service: "ews", kind: "https", host: "mail.example.org", port: 443, path: "/EWS/Exchange.asmx" },
    route: { kind: "direct", proxy: null, by: "none", list: "" },
    zone: "intranet",
    dns: { ok: true, name: "mail.example.org", rcode: "NOERROR", addresses: ["10.4.0.10"], ms: 3 },
    tcp: { ok: true, host: "mail.example.org", address: "10.4.0.10", port: 443, error: null, ms: 4 },
    connect: null,
    tls: {
      ok: true,
      error: null,
      detail: null,
      version: "TLSv1.2",
      alpn: "http/1.1",
      issuerCN: "Example CA",
      issuerO: "Example",
      subjectCN: "mail.example.org",
      sanMatch: true,
      chainOk: true,
      missingIntermediate: false,
      notBefore: 1_700_000_000_000,
      notAfter: 1_900_000_000_000,
      spkiSha256: "ab".repeat(32),
      ms: 9,
    },
    http: {
      status: 401,
      error: null,
      wwwAuth: ["negotiate", "ntlm"],
      bearerClientId: null,
      headers: { "x-feserver": "EX1", "request-id": "00000000-0000-4000-8000-000000000000" },
      location: null,
      bodyClass: "empty",
      proto: "HTTP/1.1",
      untrusted: false,
      redirects: [],
      ms: 20,
    },
    srv: null,
    timedOut: false,
    fenced: false,
    totalMs: 36,
    ...change,
  };
}

/** The application pool of EWS is stopped: http.sys answers 503. */
export const downProbe = (change: Partial<ProbeFacts> = {}): ProbeFacts => {
  const good = ewsProbe(change);
  return {
    ...good,
    http: { ...good.http!, status: 503, wwwAuth: [], headers: { server: "Microsoft-HTTPAPI/2.0" }, bodyClass: "html" },
  };
};

export const systemFacts = (change: Partial<SystemFacts> = {}): SystemFacts => ({
  os: "linux",
  osVersion: "12",
  agentVersion: "0.1.0",
  hostname: "pc1",
  domainJoined: null,
  timeZone: "UTC",
  privateAddresses: ["10.4.0.7"],
  resolvers: [],
  dnsSuffixes: [],
  gatewayHash: null,
  vpnUp: null,
  locationBy: "none",
  clockSkewMs: 0,
  lync: { installed: null, running: null, version: null },
  simulated: false,
  ...change,
});

export const observation = (
  seq: number,
  kind: string,
  key: string,
  facts: unknown,
  change: Partial<RawObservation> = {},
): RawObservation => ({
  seq,
  at: 1_700_000_000_000,
  ageMs: 0,
  location: "unknown",
  key,
  digest: "00000001",
  kind,
  facts,
  ...change,
});

export const confirmation = (seq: number, key: string, change: Partial<Confirmation> = {}): Confirmation => ({
  seq,
  key,
  digest: "00000001",
  at: 1_700_000_000_000,
  ageMs: 0,
  location: "unknown",
  timings: { dns: 3, tcp: 4, connect: null, tls: 9, http: 21, total: 37 },
  ...change,
});
