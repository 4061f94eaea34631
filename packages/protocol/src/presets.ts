import { limits } from "./limits.ts";
import type { Location, Service, Verdict } from "./names.ts";
import type { Policy, Target, TargetGroup } from "./policy.ts";

/** What an admin says about the organisation; everything else of a policy follows from it (domain 6.1). */
export interface PresetInput {
  /** Exchange hosts, `host` or `host:port`. Several are alternatives: internal and external names of one service. */
  readonly ews: readonly string[];
  readonly smtpDomains: readonly string[];
  readonly sipDomains: readonly string[];
  /** Hosts of the Lync web services, where Response Group and address book live; `host` or `host:port`. */
  readonly lyncWeb?: readonly string[];
  /** A page with known content, asked to notice portals. Default: Microsoft's plain-http one. */
  readonly control?: string;
  /** `host` or `host:port` that answers TLS for everyone, to tell "Exchange is blocked" from "https is blocked". */
  readonly controlHttps?: string;
  readonly requiresProxy?: boolean;
  readonly extendedProtection?: "on" | "off" | "unknown";
  readonly ssoHosts?: readonly string[];
  readonly exchangeOnline?: boolean;
  /** Response Group is in use, so that its web service counts (rule 8). */
  readonly responseGroups?: boolean;
  /** Plain SIP is published on purpose (domain 5.2). */
  readonly require5060?: boolean;
  /** The proxy setting that is rolled out; what differs from it is told (domain 5.1). */
  readonly baseline?: Policy["expectations"]["baseline"];
  /** Domains of the organisation beside those of mail and SIP. */
  readonly organisationDomains?: readonly string[];
  /** Domains that users' Lync trusts although no policy value on the machine says so (domain 2.4). */
  readonly trustedDomains?: readonly string[];
  /** Hosts outside the organisation's domains that may announce a proxy script (domain 5.1 `wpad-foreign`). */
  readonly wpadHosts?: readonly string[];
  /** Users of these machines have their mailbox in Exchange Online (5.0 rule 9). */
  readonly mailboxInExchangeOnline?: boolean;
  readonly tenantEws?: "enabled" | "disabled" | "unknown";
  readonly kerberos?: "works" | "absent" | "unknown";
  /** https port of the Exchange and Lync web targets that name none. Default 443. */
  readonly port?: number;
  /** How "inside" is recognised (rule 3). Without both, every observation's location is unknown. */
  readonly beacon?: Policy["beacon"];
  readonly insideSuffixes?: readonly string[];
}

const defaultControl = "http://www.msftconnecttest.com/connecttest.txt";
const defaultControlHttps = "www.msftconnecttest.com:443";

/** Longest domain whose target ids (`lyncdiscoverinternal-<domain>`) still fit 128 characters. */
const maxDomainChars = 106;

const everywhere: Location[] = ["inside", "vpn", "outside", "unknown"];
/** Where names of the internal zone must resolve. `unknown` is with them: nobody has said otherwise. */
const withinTheNetwork: Location[] = ["inside", "vpn", "unknown"];

/** A host as DNS compares it: lower case, punycode, no root dot; IPv6 without brackets. Null when it is none. */
function canonicalHost(text: string): string | null {
  const bare = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text;
  // The URL parser would drop a path or userinfo without a word.
  if (!/^[^\s/?#@\\]+$/.test(bare)) return null;
  try {
    const name = new URL(`http://${bare}`).hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
    return name.length <= 253 && /^[a-z0-9_][a-z0-9._-]*$|^[0-9a-f:.]+$/.test(name) ? name : null;
  } catch {
    return null;
  }
}

/**
 * Splits `host` or `host:port` (`[address]:port` for IPv6).
 * @throws {RangeError} that says the value, the rule and an example.
 */
export function parseHostPort(value: string, defaultPort: number): { host: string; port: number } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(value.trim());
  const host = match?.[1] ? canonicalHost(match[1]) : canonicalHost(value.trim());
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (host === null || port < 1 || port > 65_535)
    throw new RangeError(
      `"${value.slice(0, 80)}" is no host: a name or address, with a port between 1 and 65535 if need be, such as mail.example.org or mail.example.org:8443`,
    );
  return { host, port };
}

/**
 * A mail or SIP domain in its canonical form.
 * @throws {RangeError} that says the value, the rule and an example.
 */
export function parseDomain(value: string): string {
  const domain = value.includes(":") ? null : canonicalHost(value.trim());
  if (domain === null || domain.length > maxDomainChars)
    throw new RangeError(
      `"${value.slice(0, 80)}" is no domain: the part after the @ of an address, at most ${maxDomainChars} characters, such as example.org`,
    );
  return domain;
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

interface TargetOptions {
  readonly locations?: Location[];
  readonly accept?: Verdict[];
  readonly cadence?: Target["cadence"];
  readonly path?: string | null;
}

function target(
  id: string,
  service: Service,
  kind: Target["kind"],
  host: string,
  port: number | null,
  options: TargetOptions = {},
): Target {
  return {
    id,
    service,
    kind,
    host,
    port,
    path: options.path ?? null,
    locations: [...(options.locations ?? everywhere)],
    accept: options.accept ?? [],
    // Rule 15: what decides the machine's status each cycle, the rest now and then, so that a fleet is no herd.
    cadence: options.cadence ?? "sampled",
    expectedIssuers: [],
  };
}

/** `ews`, `ews-2`, … : the first keeps the plain id, so that adding one renames none. */
const numbered = (id: string, index: number) => (index === 0 ? id : `${id}-${index + 1}`);

function exchangeTargets(input: PresetInput, port: number): Target[] {
  const hosts = input.ews.map((entry) => parseHostPort(entry, port));
  const targets = hosts.map(({ host, port }, index) =>
    target(numbered("ews", index), "ews", "https", host, port, { path: "/EWS/Exchange.asmx", cadence: "cycle" }),
  );
  const first = hosts[0];
  if (first)
    targets.push(
      target("exchange-health", "exchange-health", "https", first.host, first.port, { path: "/ews/healthcheck.htm" }),
      target("mapi", "mapi", "https", first.host, first.port, {
        path: "/mapi/emsmdb",
        accept: ["iis-windows-auth"],
      }),
      target("oab", "oab", "https", first.host, first.port, { path: "/OAB/", accept: ["iis-windows-auth"] }),
    );
  if (input.exchangeOnline)
    targets.push(
      target("exchange-online", "ews", "https", "outlook.office365.com", 443, { path: "/EWS/Exchange.asmx" }),
    );
  return targets;
}

function autodiscoverTargets(domain: string, port: number): Target[] {
  const path = "/autodiscover/autodiscover.xml";
  return [
    target(`autodiscover-${domain}`, "autodiscover", "https", `autodiscover.${domain}`, port, {
      path,
      cadence: "cycle",
    }),
    target(`apex-${domain}`, "apex", "https", domain, port, { path }),
    target(`autodiscover-srv-${domain}`, "autodiscover-srv", "srv", `_autodiscover._tcp.${domain}`, null),
  ];
}

function lyncTargets(domain: string, port: number): Target[] {
  return [
    target(`lyncdiscoverinternal-${domain}`, "lync-discover", "https", `lyncdiscoverinternal.${domain}`, port, {
      path: "/",
      locations: withinTheNetwork,
    }),
    target(`lyncdiscover-${domain}`, "lync-discover", "https", `lyncdiscover.${domain}`, port, { path: "/" }),
    target(`sip-srv-${domain}`, "sip-srv", "srv", `_sipinternaltls._tcp.${domain}`, null, {
      locations: withinTheNetwork,
    }),
    target(`sip-${domain}`, "sip", "tls", `sip.${domain}`, 5061),
    target(`sip-internal-${domain}`, "sip", "tls", `sipinternal.${domain}`, 5061, { locations: withinTheNetwork }),
    target(`sip-plain-${domain}`, "sip-plain", "tcp", `sip.${domain}`, 5060),
  ];
}

function lyncWebTargets(input: PresetInput, port: number): Target[] {
  return (input.lyncWeb ?? []).flatMap((entry, index) => {
    const web = parseHostPort(entry, port);
    // Public scanners use exactly these paths to find Windows authentication: that answer is the healthy one.
    const accept: Verdict[] = ["iis-windows-auth"];
    return [
      target(numbered("lync-rgs", index), "lync-rgs", "https", web.host, web.port, { path: "/RgsClients/", accept }),
      target(numbered("lync-abs", index), "lync-abs", "https", web.host, web.port, { path: "/abs/", accept }),
    ];
  });
}

function controlTargets(input: PresetInput): Target[] {
  const text = input.control ?? defaultControl;
  let url: URL;
  try {
    url = new URL(text);
    if (url.protocol !== "http:" && url.protocol !== "https:") throw new RangeError("scheme");
  } catch {
    throw new RangeError(
      `"${text.slice(0, 80)}" is no control address: an http or https URL with known content, such as ${defaultControl}`,
    );
  }
  const kind = url.protocol === "http:" ? "http" : "https";
  const port = url.port === "" ? (kind === "http" ? 80 : 443) : Number(url.port);
  const https = parseHostPort(input.controlHttps ?? defaultControlHttps, 443);
  return [
    target("control", "control", kind, url.hostname.replace(/^\[|\]$/g, ""), port, {
      path: url.pathname,
      cadence: "cycle",
    }),
    // Only that TLS is reached counts: what a neutral host serves there is not ours to judge.
    target("control-https", "control", "tls", https.host, https.port, { cadence: "cycle" }),
  ];
}

/** One group a domain: the domains of an organisation are no alternatives of each other (rule 8). */
function groupsPerDomain(
  id: string,
  title: string,
  required: boolean,
  domains: readonly string[],
  members: (domain: string) => string[],
): TargetGroup[] {
  return domains.map((domain, index) => ({
    id: index === 0 ? id : `${id}-${domain}`,
    title: domains.length === 1 ? title : `${title} ${domain}`,
    required,
    anyOf: members(domain),
  }));
}

/** Only what the admin said: what stays away means what `expectationsOf` says. */
function laterExpectations(input: PresetInput): Partial<Policy["expectations"]> {
  const { baseline, organisationDomains, trustedDomains, wpadHosts, mailboxInExchangeOnline, tenantEws, kerberos } =
    input;
  return {
    ...(baseline !== undefined && { baseline }),
    ...(organisationDomains && { organisationDomains: unique(organisationDomains.map(parseDomain)) }),
    ...(trustedDomains && { trustedDomains: unique(trustedDomains.map(parseDomain)) }),
    ...(wpadHosts && { wpadHosts: unique(wpadHosts.map((entry) => parseHostPort(entry, 80).host)) }),
    ...(mailboxInExchangeOnline !== undefined && { mailboxInExchangeOnline }),
    ...(tenantEws && { tenantEws }),
    ...(kerberos && { kerberos }),
  };
}

/**
 * The policy of domain 6.1 for an organisation: targets, any-of groups (rule 8) and the intervals of 6.2.
 * Target ids are stable: they key each machine's history.
 * @throws {RangeError} for a host, domain or control address that is none; the message shows the value and an example.
 */
export function buildPolicy(input: PresetInput, version: number): Policy {
  const port = input.port ?? 443;
  const smtpDomains = unique(input.smtpDomains.map(parseDomain));
  const sipDomains = unique(input.sipDomains.map(parseDomain));
  const targets = [
    ...exchangeTargets(input, port),
    ...smtpDomains.flatMap((domain) => autodiscoverTargets(domain, port)),
    ...sipDomains.flatMap((domain) => lyncTargets(domain, port)),
    ...lyncWebTargets(input, port),
    ...controlTargets(input),
  ];
  if (targets.length > limits.targets)
    throw new RangeError(
      `${targets.length} targets; at most ${limits.targets}: name fewer hosts and domains, such as one Exchange host and two domains`,
    );
  const groups: TargetGroup[] = [
    ...(input.ews.length > 0
      ? [
          {
            id: "ews",
            title: "Exchange Web Services",
            required: true,
            anyOf: input.ews.map((_, i) => numbered("ews", i)),
          },
        ]
      : []),
    // A client goes on from one to the next; a published SRV record is a way to Exchange as well.
    ...groupsPerDomain("autodiscover", "Autodiscover", true, smtpDomains, (domain) => [
      `autodiscover-${domain}`,
      `apex-${domain}`,
      `autodiscover-srv-${domain}`,
    ]),
    ...groupsPerDomain("lync-web", "Lync web services", false, sipDomains, (domain) => [
      `lyncdiscoverinternal-${domain}`,
      `lyncdiscover-${domain}`,
    ]),
    ...groupsPerDomain("sip", "SIP sign-in", false, sipDomains, (domain) => [
      `sip-internal-${domain}`,
      `sip-${domain}`,
    ]),
    { id: "control", title: "Internet control", required: false, anyOf: ["control"] },
  ];
  return {
    version,
    targets,
    groups,
    intervals: { cycleMinutes: 15, settingsMinutes: 5, heartbeatSeconds: 30 },
    beacon: input.beacon ?? null,
    insideSuffixes: (input.insideSuffixes ?? []).map(parseDomain),
    minSecondsPerHost: 60,
    expectations: {
      smtpDomains,
      sipDomains,
      requiresProxy: input.requiresProxy ?? false,
      extendedProtection: input.extendedProtection ?? "unknown",
      ssoHosts: unique((input.ssoHosts ?? []).map(parseDomain)),
      require5060: input.require5060 ?? false,
      responseGroups: input.responseGroups ?? false,
      exchangeOnline: input.exchangeOnline ?? false,
      ...laterExpectations(input),
    },
  };
}
