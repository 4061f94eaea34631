import * as z from "zod";
import { limits } from "./limits.ts";
import { locationSchema } from "./names.ts";

/*
 * Facts, never conclusions: what the agent saw (domain 0.1, 5.0). Each schema is also the TypeScript type.
 * Objects are "loose": a newer agent may add fields, which are kept and ignored.
 */

const text = (max: number) => z.string().max(max);
const host = text(limits.hostChars);
/** A phase's duration in milliseconds; fractions are kept. */
const ms = z.number().min(0).max(600_000);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const port = z.number().int().min(1).max(65_535);
/** Milliseconds since 1970, UTC, by the clock that the field's owner names. */
export const instantSchema = z.number().int().min(0).max(8_640_000_000_000);
/** Lower-case hex SHA-256, whole or a prefix. */
const hash = z.string().regex(/^[0-9a-f]{8,64}$/);
/** Id of an effective configuration: hex prefix of the hash over the settings that matter (rule 5). */
export const configurationIdSchema = z.string().regex(/^[0-9a-z-]{1,64}$/);
export const targetIdSchema = z.string().regex(/^[a-z0-9][a-z0-9.:_-]{0,127}$/);

export const proxyAddressSchema = z.looseObject({
  /** How one talks to it. `http` is also what `https=` means in ProxyServer (domain 4.1). */
  scheme: z.enum(["http", "https", "socks4", "socks5"]),
  host,
  port,
});
export type ProxyAddress = z.infer<typeof proxyAddressSchema>;

export const routeSchema = z.looseObject({
  kind: z.enum(["direct", "proxy", "unknown"]),
  proxy: proxyAddressSchema.nullable(),
  /** The rule that decided (domain 4.6). `forced` is the direct counterfactual of the prober. */
  by: z.enum(["auto-detect", "pac", "manual", "bypass", "implicit", "none", "environment", "forced"]),
  /** The list the rule gave, as written: a PAC result or a ProxyServer value. Userinfo removed. */
  list: text(limits.textChars),
});
export type Route = z.infer<typeof routeSchema>;

/** The decoded DefaultConnectionSettings (domain 4.2). Strings are kept even when their flag is off. */
export const settingsBlobSchema = z.looseObject({
  ok: z.boolean(),
  signature: count,
  counter: count,
  flags: count,
  direct: z.boolean(),
  manual: z.boolean(),
  pac: z.boolean(),
  autoDetect: z.boolean(),
  server: text(limits.listTextChars),
  bypass: text(limits.listTextChars),
  pacUrl: text(limits.urlChars),
});
export type SettingsBlob = z.infer<typeof settingsBlobSchema>;

export const legacySettingsSchema = z.looseObject({
  ProxyEnable: z.number().int().nullable(),
  ProxyServer: text(limits.listTextChars).nullable(),
  ProxyOverride: text(limits.listTextChars).nullable(),
  AutoConfigURL: text(limits.urlChars).nullable(),
  AutoDetect: z.number().int().nullable(),
});
export type LegacySettings = z.infer<typeof legacySettingsSchema>;

/** What is in force after blob, legacy values and policy were weighed (domain 4.2, 4.4, 4.6). */
export const effectiveSettingsSchema = z.looseObject({
  autoDetect: z.boolean(),
  /** PAC URL in force, userinfo and query removed; null when the PAC flag is off. */
  pacUrl: text(limits.urlChars).nullable(),
  /** ProxyServer value in force; null when the manual flag is off. */
  server: text(limits.listTextChars).nullable(),
  bypass: text(limits.listTextChars),
  source: z.enum([
    "wininet-blob",
    "wininet-values",
    "policy",
    "vpn",
    "environment",
    "gnome",
    "kde",
    "macos",
    "file",
    "none",
  ]),
  /** WinINET and GNOME fall through silently and treat lists differently (domain 4.1, 4.10). */
  dialect: z.enum(["windows", "unix"]),
});
export type EffectiveSettings = z.infer<typeof effectiveSettingsSchema>;

export const configurationSchema = z.looseObject({
  id: configurationIdSchema,
  settings: effectiveSettingsSchema,
  /** How many signed-in users have it in force. */
  users: count,
  /** Whether every cycle probes it. A cycle takes at most eight; where there are more, the others have turns (rule 5). */
  probed: z.boolean(),
});
export type Configuration = z.infer<typeof configurationSchema>;

export const userSettingsSchema = z.looseObject({
  /** HMAC of the SID or uid with the machine's salt; never a name (domain 6.4). */
  id: text(64),
  configuration: configurationIdSchema,
  blob: settingsBlobSchema.nullable(),
  legacy: legacySettingsSchema.nullable(),
  mismatch: z.boolean(),
  /** Windows, where it was read: what else of this user's settings decides routes and prompts. */
  windows: z
    .looseObject({
      /** `SavedLegacySettings`, and the entries named after VPN and dial-up connections, by that name (domain 4.2). */
      savedLegacy: settingsBlobSchema.nullable(),
      connections: z.array(z.looseObject({ name: text(128), blob: settingsBlobSchema })).max(16),
      /** The entry of `connections` that is in force because that connection is up; null when none is (domain 4.6). */
      activeConnection: text(128).nullable(),
      httpProxyControlFlags: count.nullable(),
      /** Logon option (URLACTION 1A00) of the zones 1 (intranet) to 4 (restricted); null where not set (domain 4.8). */
      zoneLogon: z.array(z.number().int().nullable()).max(4),
      /** `TrustModelData` as written: hosts that Lync trusts without asking (domain 2.4). */
      trustModelData: text(limits.listTextChars).nullable(),
      allowAdalForNonLync: z.number().int().nullable(),
      enableAdal: z.number().int().nullable(),
    })
    .nullable()
    .optional(),
});
export type UserSettings = z.infer<typeof userSettingsSchema>;

/** Kind `settings`, key `settings`. */
export const settingsFactsSchema = z.looseObject({
  users: z.array(userSettingsSchema).max(limits.users),
  configurations: z.array(configurationSchema).max(limits.configurations),
  /** Nobody signed in: the configurations are those of the last user seen (rule 5). */
  nobodySignedIn: z.boolean(),
  winhttp64: z
    .looseObject({ flags: count, server: text(limits.listTextChars), bypass: text(limits.listTextChars) })
    .nullable(),
  winhttp32: z
    .looseObject({ flags: count, server: text(limits.listTextChars), bypass: text(limits.listTextChars) })
    .nullable(),
  policy: z.looseObject({
    ProxySettingsPerUser: z.number().int().nullable(),
    gpoManaged: z.boolean().nullable(),
    /** WinHTTP's own switch that turns WPAD off (rule 7); null when unknown. */
    DisableWpad: z.boolean().nullable(),
  }),
  /** Windows: SYSTEM's own settings (`.DEFAULT`) and the machine-wide blob (HKLM), beside those of the users (domain 4.4). */
  systemBlob: settingsBlobSchema.nullable().optional(),
  machineBlob: settingsBlobSchema.nullable().optional(),
  /** Windows' advanced proxy setting (JSON) as written, secrets removed; null where there is none. */
  advancedProxy: text(limits.listTextChars).nullable().optional(),
  /** Sources that were looked for, and what came of it: `read`, `absent`, `not on this system`, an error. */
  sources: z.array(z.looseObject({ name: text(64), outcome: text(256) })).max(32),
});
export type SettingsFacts = z.infer<typeof settingsFactsSchema>;

const pacFetch = z.union([
  z.enum(["ok", "dns", "tcp", "tls", "timeout", "too-big", "unsupported-scheme", "none"]),
  z.string().regex(/^http-\d{3}$/),
]);

/** Kind `pac`, key `pac:<configuration>`: the script of one configuration (domain 4.6). Its text never leaves. */
export const pacFactsSchema = z.looseObject({
  configuration: configurationIdSchema,
  origin: z.enum(["auto-detect", "pac"]),
  url: text(limits.urlChars),
  scheme: text(32),
  fetch: pacFetch,
  /** Schemes offered with a 401 or 407, else empty. */
  authSchemes: z.array(text(64)).max(limits.schemes),
  sha256: hash.nullable(),
  bytes: count,
  contentType: text(256).nullable(),
  bodyIsHtml: z.boolean(),
  evalOk: z.boolean().nullable(),
  evalError: text(1024).nullable(),
  /** Targets for which the full URL and the origin-only URL give different results (domain 4.6). */
  urlFormsDiffer: z.array(targetIdSchema).max(limits.targets),
  myIpAddress: text(64).nullable(),
  /** A capital letter inside a host literal of the script (domain 2.8 "PAC case"). */
  capitalHostLiterals: z.boolean(),
  /**
   * Targets that would go another way if the script's host literals were written in lower case (domain 5.1
   * `pac-case-mismatch`). Absent where it was not asked, which an agent does only where there are such literals.
   */
  caseDecides: z.array(targetIdSchema).max(limits.targets).optional(),
  /**
   * Windows: what `WinHttpGetProxyForUrl` says for the EWS URL, beside our own evaluation. `agrees` null where one of the
   * two has no answer; `error` is the system's code or why it was not asked.
   */
  winhttp: z
    .looseObject({
      list: text(limits.textChars).nullable(),
      agrees: z.boolean().nullable(),
      error: text(256).nullable(),
    })
    .nullable()
    .optional(),
  ms,
});
export type PacFacts = z.infer<typeof pacFactsSchema>;

/** Kind `wpad`, key `wpad` (domain 4.6). */
export const wpadFactsSchema = z.looseObject({
  tried: z.boolean(),
  dhcp252Url: text(limits.urlChars).nullable(),
  /** The `wpad.<suffix>` name that resolved, or null. */
  dnsHost: host.nullable(),
  addresses: z.array(text(64)).max(limits.addresses),
  fetch: pacFetch,
});
export type WpadFacts = z.infer<typeof wpadFactsSchema>;

export const dnsPhaseSchema = z.looseObject({
  ok: z.boolean(),
  /** The name asked: the target's on a direct route, the proxy's behind one (rule 4). */
  name: host,
  /** `NOERROR`, `NXDOMAIN`, `NODATA`, `SERVFAIL`, `REFUSED`, `TIMEOUT`, `LITERAL`, or the resolver's own word. */
  rcode: text(32),
  addresses: z.array(text(64)).max(limits.addresses),
  ms,
});
export const tcpPhaseSchema = z.looseObject({
  ok: z.boolean(),
  host,
  /** The address connected to, kept also where the answer names no server (rule 11). */
  address: text(64).nullable(),
  port,
  error: z.enum(["refused", "timeout", "reset", "unreachable", "other"]).nullable(),
  ms,
});
/** Header names are lower case and from the allow-list of domain 3.2; values redacted on the machine. */
export const headersSchema = z
  .record(text(64), text(limits.headerChars))
  .refine((headers) => Object.keys(headers).length <= limits.headers, `at most ${limits.headers} headers`);
export const connectPhaseSchema = z.looseObject({
  /** The proxy's status to CONNECT, or null when it gave none. */
  status: z.number().int().min(100).max(999).nullable(),
  error: z.enum(["timeout", "reset", "protocol", "socks"]).nullable(),
  proxyAuthSchemes: z.array(text(64)).max(limits.schemes),
  headers: headersSchema,
  ms,
});
export const tlsPhaseSchema = z.looseObject({
  ok: z.boolean(),
  error: z.enum(["name", "untrusted", "expired", "protocol", "reset", "timeout", "other"]).nullable(),
  /** The runtime's own word, such as `SELF_SIGNED_CERT_IN_CHAIN`. */
  detail: text(256).nullable(),
  version: text(32).nullable(),
  alpn: text(32).nullable(),
  issuerCN: text(256).nullable(),
  issuerO: text(256).nullable(),
  subjectCN: text(256).nullable(),
  sanMatch: z.boolean().nullable(),
  chainOk: z.boolean().nullable(),
  /** The chain was completed only by what the machine has, not by what the server sent (rule 2). */
  missingIntermediate: z.boolean().nullable(),
  notBefore: instantSchema.nullable(),
  notAfter: instantSchema.nullable(),
  spkiSha256: hash.nullable(),
  /** Hosts of the CRL, OCSP and AIA addresses in the chain, lower case (domain 5.0 rule 2). */
  revocationHosts: z.array(host).max(16).optional(),
  ms,
});
export const httpPhaseSchema = z.looseObject({
  status: z.number().int().min(100).max(999).nullable(),
  error: z.enum(["timeout", "reset", "protocol", "too-large"]).nullable(),
  /** Schemes of all WWW-Authenticate values, lower case, in order, parameters dropped. */
  wwwAuth: z.array(text(64)).max(limits.schemes),
  /** Bearer `client_id` of the challenge, the one parameter that identifies Exchange (domain 3.1). */
  bearerClientId: text(128).nullable(),
  headers: headersSchema,
  location: text(limits.urlChars).nullable(),
  bodyClass: z.enum([
    "empty",
    "html",
    "html-form",
    "json",
    "json-links",
    "xml",
    "health-ok",
    "control-ok",
    "proxy-page",
    "text",
    "binary",
  ]),
  proto: text(16).nullable(),
  /** Read over a TLS session that did not verify: evidence only, never trusted. */
  untrusted: z.boolean(),
  /** Hosts of redirects that were followed (autodiscover only, at most three). */
  redirects: z.array(text(limits.urlChars)).max(4),
  ms,
});

/** Kind `probe`, key `probe:<configuration>:<target>:<via>`. A phase that was not reached is null. */
export const probeFactsSchema = z.looseObject({
  configuration: configurationIdSchema,
  target: targetIdSchema,
  via: z.enum(["configured", "direct"]),
  /** What was probed, so that an observation can be judged long after its policy is gone. */
  endpoint: z.looseObject({
    service: text(32),
    kind: z.enum(["https", "http", "tcp", "tls", "srv"]),
    host,
    port: port.nullable(),
    path: text(1024).nullable(),
  }),
  route: routeSchema,
  zone: z.enum(["intranet", "trusted", "internet", "unknown"]),
  dns: dnsPhaseSchema.nullable(),
  tcp: tcpPhaseSchema.nullable(),
  connect: connectPhaseSchema.nullable(),
  tls: tlsPhaseSchema.nullable(),
  http: httpPhaseSchema.nullable(),
  /** For SRV targets: the records found. */
  srv: z
    .array(z.looseObject({ host, port: z.number().int().min(0).max(65_535), priority: count, weight: count }))
    .max(limits.srvRecords)
    .nullable(),
  /** The whole probe hit its deadline (domain 6.2). */
  timedOut: z.boolean(),
  /** Refused by the machine's own fence (rule 16): nothing was sent. */
  fenced: z.boolean(),
  totalMs: ms,
});
export type ProbeFacts = z.infer<typeof probeFactsSchema>;
export type DnsPhase = z.infer<typeof dnsPhaseSchema>;
export type TcpPhase = z.infer<typeof tcpPhaseSchema>;
export type ConnectPhase = z.infer<typeof connectPhaseSchema>;
export type TlsPhase = z.infer<typeof tlsPhaseSchema>;
export type HttpPhase = z.infer<typeof httpPhaseSchema>;

/** Kind `system`, key `system`: what the machine is and where it stands. */
export const systemFactsSchema = z.looseObject({
  os: z.enum(["windows", "macos", "linux", "other"]),
  osVersion: text(128),
  agentVersion: text(64),
  hostname: text(limits.nameChars),
  domainJoined: z.boolean().nullable(),
  timeZone: text(64),
  /** Private addresses only (domain 6.4); the collector maps them to a site. */
  privateAddresses: z.array(text(64)).max(limits.addresses),
  resolvers: z.array(text(64)).max(limits.addresses),
  dnsSuffixes: z.array(host).max(limits.addresses),
  gatewayHash: hash.nullable(),
  vpnUp: z.boolean().nullable(),
  /** How `location` of each observation was decided. */
  locationBy: z.enum(["beacon", "rule", "none"]),
  /** Domain 6.3: clock of two targets minus the machine's; null when it could not be measured. */
  clockSkewMs: z.number().min(-1e12).max(1e12).nullable(),
  /** What each source says by itself: the collector's clock, and the Date header of target hosts (domain 5.4 `clock-skew`). */
  clockSources: z
    .array(
      z.looseObject({
        source: z.enum(["collector", "target"]),
        host: host.nullable(),
        skewMs: z.number().min(-1e12).max(1e12),
      }),
    )
    .max(16)
    .optional(),
  /** Windows: what decides whether NTLM and modern authentication can work (domain 2.8, 5.4). */
  authentication: z
    .looseObject({
      lmCompatibilityLevel: z.number().int().nullable(),
      restrictSendingNtlmTraffic: z.number().int().nullable(),
    })
    .nullable()
    .optional(),
  lync: z.looseObject({
    installed: z.boolean().nullable(),
    running: z.boolean().nullable(),
    version: text(64).nullable(),
  }),
  /** Marked by the demo fleet. Shown as "simulated" wherever the machine is shown. */
  simulated: z.boolean(),
});
export type SystemFacts = z.infer<typeof systemFactsSchema>;

export const observationKinds = ["system", "settings", "pac", "wpad", "probe"] as const;
export type ObservationKind = (typeof observationKinds)[number];

/**
 * True for what was seen beside the cycles: the re-probe of a failed target. It is news like any other, but no cycle by
 * which persistence is counted (domain 5). A target that waited for its host's share belongs to its cycle.
 */
const partial = z.boolean().optional();

const envelope = {
  /** The machine's own number, +1 per observation within an epoch. */
  seq: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** Machine's wall clock at the observation. */
  at: instantSchema,
  /** Monotonic milliseconds between the observation and the sending, so that a slow clock is evidence. */
  ageMs: z
    .number()
    .min(0)
    .max(90 * 86_400_000),
  location: locationSchema,
  /** Slot in the machine's state; a newer observation of the same key replaces the older one's facts. */
  key: text(256),
  /** SHA-256 prefix over the facts without their volatile parts (rule 13). */
  digest: hash,
  partial,
};

/** The observations whose facts this collector understands. */
export const observationSchema = z.discriminatedUnion("kind", [
  z.looseObject({ ...envelope, kind: z.literal("system"), facts: systemFactsSchema }),
  z.looseObject({ ...envelope, kind: z.literal("settings"), facts: settingsFactsSchema }),
  z.looseObject({ ...envelope, kind: z.literal("pac"), facts: pacFactsSchema }),
  z.looseObject({ ...envelope, kind: z.literal("wpad"), facts: wpadFactsSchema }),
  z.looseObject({ ...envelope, kind: z.literal("probe"), facts: probeFactsSchema }),
]);
export type Observation = z.infer<typeof observationSchema>;

/** An observation of a kind, or with facts, that this version does not know: kept raw and acknowledged. */
export const rawObservationSchema = z.looseObject({
  ...envelope,
  kind: text(64),
  facts: z.unknown(),
});
export type RawObservation = z.infer<typeof rawObservationSchema>;

/** Facts unchanged since the observation with this digest: only the moment and the timings are new (rule 13). */
export const confirmationSchema = z.looseObject({
  seq: envelope.seq,
  key: envelope.key,
  digest: hash,
  at: instantSchema,
  ageMs: envelope.ageMs,
  location: locationSchema,
  partial,
  /** Phase timings of a probe in ms, null for a phase that was not reached. */
  timings: z
    .looseObject({
      dns: ms.nullable(),
      tcp: ms.nullable(),
      connect: ms.nullable(),
      tls: ms.nullable(),
      http: ms.nullable(),
      total: ms,
    })
    .nullable(),
});
export type Confirmation = z.infer<typeof confirmationSchema>;
export type PhaseTimings = NonNullable<Confirmation["timings"]>;
