import { z } from "zod";
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
  }),
});
export type Policy = z.infer<typeof policySchema>;
