import * as z from "zod";
import { targetIdSchema } from "./facts.ts";
import { limits } from "./limits.ts";
import { locationSchema, serviceSchema, verdictSchema } from "./names.ts";

const host = z.string().min(1).max(limits.hostChars);
const minutes = (max: number) => z.number().min(0.01).max(max);

/** One thing to probe (domain 2.5, 6.1). Ids are stable: they key the machine's history. */
export const targetSchema = z.looseObject({
  id: targetIdSchema,
  service: serviceSchema,
  kind: z.enum(["https", "http", "tcp", "tls", "srv"]),
  host,
  /** Null for SRV names only. */
  port: z.number().int().min(1).max(65_535).nullable(),
  path: z.string().max(1024).nullable(),
  /** Where the target is probed at all (rule 8). */
  locations: z.array(locationSchema).min(1).max(4),
  /** Verdicts that count as ok for this target beyond the service's own (domain 5, `ok(v)`). */
  accept: z.array(verdictSchema).max(16),
  /** `cycle`: each cycle on the configured route; `sampled`: now and then (rule 15). */
  cadence: z.enum(["cycle", "sampled"]),
  /** Sub-strings of issuer O or CN that are right for this target; empty = not declared. */
  expectedIssuers: z.array(z.string().max(256)).max(16),
});
export type Target = z.infer<typeof targetSchema>;

/** Alternatives of one service: bad only when all members that the location uses are bad (rule 8). */
export const targetGroupSchema = z.looseObject({
  id: targetIdSchema,
  title: z.string().max(128),
  /** Whose badness makes a machine fail. */
  required: z.boolean(),
  anyOf: z.array(targetIdSchema).min(1).max(32),
});
export type TargetGroup = z.infer<typeof targetGroupSchema>;

/** The proxy setting that the organisation rolls out (domain 5.1 `proxy-baseline-drift`). */
export const baselineSchema = z.looseObject({
  mode: z.enum(["direct", "auto-detect", "pac", "manual"]),
  /** Address of the script in mode `pac`. */
  pacUrl: z.string().max(limits.urlChars).nullable(),
  /** `host:port` in mode `manual`. */
  proxy: z
    .string()
    .max(limits.hostChars + 6)
    .nullable(),
  /** Entries that the bypass list must hold; it may hold others. */
  bypass: z.array(z.string().max(limits.hostChars)).max(64),
  /** Where it holds (5.0 rule 3). */
  locations: z.array(locationSchema).min(1).max(4),
});
export type Baseline = z.infer<typeof baselineSchema>;

/** What agents are told to do. Versioned: a higher version replaces a lower one whole. */
export const policySchema = z.looseObject({
  version: z.number().int().min(0),
  targets: z.array(targetSchema).max(limits.targets),
  groups: z.array(targetGroupSchema).max(limits.groups),
  intervals: z.looseObject({
    /** Full probe cycle, before ±20 % jitter. */
    cycleMinutes: minutes(1440),
    /** Proxy settings are read again. */
    settingsMinutes: minutes(1440),
    heartbeatSeconds: z.number().min(1).max(3600),
  }),
  /** An internal https address whose key tells that one is inside (rule 3); null = location unknown unless a rule says. */
  beacon: z
    .looseObject({ url: z.string().max(limits.urlChars), spkiSha256: z.string().regex(/^[0-9a-f]{64}$/) })
    .nullable(),
  /** Instead of a beacon: inside when the machine has one of these DNS suffixes. */
  insideSuffixes: z.array(host).max(32),
  /** This agent's share of the fleet's request budget: least seconds between two requests to one target host (rule 15). */
  minSecondsPerHost: z.number().min(0).max(86_400),
  expectations: z.looseObject({
    smtpDomains: z.array(host).max(32),
    sipDomains: z.array(host).max(32),
    /** The network has no direct way out, on purpose (rule 7). */
    requiresProxy: z.boolean(),
    extendedProtection: z.enum(["on", "off", "unknown"]),
    /** Hosts to which a redirect is no portal (rule 6). */
    ssoHosts: z.array(host).max(32),
    require5060: z.boolean(),
    responseGroups: z.boolean(),
    exchangeOnline: z.boolean(),
    /*
     * Later additions: absent in policies that were stored before, which then mean what `expectationsOf` says.
     */
    baseline: baselineSchema.nullable().optional(),
    /** Domains of the organisation beside those of mail and SIP: where its own proxies and scripts live. */
    organisationDomains: z.array(host).max(64).optional(),
    /** Domains that users' Lync trusts although no policy value on the machine says so, such as saved answers. */
    trustedDomains: z.array(host).max(64).optional(),
    /** Names and addresses that may announce a proxy script although they lie outside the organisation's domains. */
    wpadHosts: z.array(host).max(32).optional(),
    /** The mailboxes of these machines' users are in Exchange Online (5.0 rule 9). */
    mailboxInExchangeOnline: z.boolean().optional(),
    /** Whether the Exchange Online tenant still serves EWS: no anonymous probe can see it (domain 3.5). */
    tenantEws: z.enum(["enabled", "disabled", "unknown"]).optional(),
    /** Whether Kerberos reaches Exchange: an SPN for its names, and a domain controller in reach (5.0 rule 9). */
    kerberos: z.enum(["works", "absent", "unknown"]).optional(),
  }),
});
export type Policy = z.infer<typeof policySchema>;

/** The expectations with every later addition filled in. */
export type Expectations = {
  [Key in keyof Policy["expectations"]]-?: Exclude<Policy["expectations"][Key], undefined>;
};

/** What a policy expects; an addition that it was stored without is undeclared: empty, `unknown` or false. */
export function expectationsOf({ expectations }: Pick<Policy, "expectations">): Expectations {
  const {
    baseline = null,
    organisationDomains = [],
    trustedDomains = [],
    wpadHosts = [],
    mailboxInExchangeOnline = false,
    tenantEws = "unknown",
    kerberos = "unknown",
  } = expectations;
  return {
    ...expectations,
    baseline,
    organisationDomains,
    trustedDomains,
    wpadHosts,
    mailboxInExchangeOnline,
    tenantEws,
    kerberos,
  };
}
