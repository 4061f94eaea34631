import * as z from "zod";
import {
  configurationIdSchema,
  instantSchema,
  pacFactsSchema,
  probeFactsSchema,
  settingsFactsSchema,
  systemFactsSchema,
  wpadFactsSchema,
} from "./facts.ts";
import { limits } from "./limits.ts";
import {
  confidenceSchema,
  locationSchema,
  machineStatusSchema,
  patternIdSchema,
  severitySchema,
  verdictSchema,
} from "./names.ts";
import { timingsSchema } from "./timings.ts";

/*
 * What the collector keeps per machine: the last facts of every key and a short memory of verdicts (rule 13).
 * `packages/diagnosis` folds observations into it and judges it; `packages/db` stores it as one row.
 */

/** The last facts of one key, with when they were first and last seen in this shape. Times are corrected for skew. */
const slot = <T extends z.ZodType>(facts: T) =>
  z.looseObject({
    digest: z.string().max(64),
    /** When these facts were first observed unchanged. */
    since: instantSchema,
    /** When they were last observed or confirmed. */
    at: instantSchema,
    location: locationSchema,
    seq: z.number().int().min(0),
    facts,
  });

export const ringEntrySchema = z.looseObject({
  at: instantSchema,
  verdict: verdictSchema,
  location: locationSchema,
  totalMs: z.number(),
  /** Milliseconds per phase, null where not reached; dns, tcp, connect, tls, http. */
  phases: z.tuple([
    z.number().nullable(),
    z.number().nullable(),
    z.number().nullable(),
    z.number().nullable(),
    z.number().nullable(),
  ]),
  /** Address connected to and x-feserver, to tell back ends apart (rule 11). */
  peer: z.string().max(320).nullable(),
});
export type RingEntry = z.infer<typeof ringEntrySchema>;

export const probeSlotSchema = slot(probeFactsSchema).extend({
  verdict: verdictSchema,
  /** When the present verdict began. */
  verdictSince: instantSchema,
  /** Newest last; at most ten. */
  ring: z.array(ringEntrySchema).max(limits.ringLength),
  /**
   * EWS on the configured route: how long its good answers took on each of the last days (UTC, days since 1970), as
   * counts per step of time. Kept for the machine's own median (domain 5.4b `ews-slow`); absent before the first.
   */
  latency: z
    .array(z.looseObject({ day: z.number().int(), counts: z.record(z.string(), z.number().int().min(1)) }))
    .max(limits.latencyDays)
    .optional(),
});
export type ProbeSlot = z.infer<typeof probeSlotSchema>;

/**
 * What EWS, and the names of the targets, showed last at a location: what the next answer is compared with, also after
 * a time without one.
 */
export const lastSeenSchema = z.looseObject({
  at: instantSchema,
  certificate: z
    .looseObject({
      spki: z.string().max(64),
      issuer: z.string().max(512),
      notAfter: instantSchema.nullable(),
      /** Since when it is seen; absent for the first one. */
      at: instantSchema.optional(),
      /** Key of the one before. */
      before: z.string().max(64).optional(),
    })
    .optional(),
  /** Addresses of the name now, and all that it had lately: balancers hand out one of several. */
  answer: z
    .looseObject({
      addresses: z.array(z.string().max(64)).max(limits.addresses),
      known: z.array(z.string().max(64)).max(4 * limits.addresses),
    })
    .optional(),
});
export type LastSeen = z.infer<typeof lastSeenSchema>;

export const machineFactsSchema = z.looseObject({
  system: slot(systemFactsSchema).nullable(),
  settings: slot(settingsFactsSchema).nullable(),
  /** Settings as they were before the last change, and when it was seen: for "what changed". */
  previousSettings: slot(settingsFactsSchema).extend({ replacedAt: instantSchema.optional() }).nullable(),
  wpad: slot(wpadFactsSchema).nullable(),
  /** Keyed by configuration id. */
  pac: z.record(z.string(), slot(pacFactsSchema)),
  previousPac: z.record(z.string(), slot(pacFactsSchema)),
  /** Keyed by `<configuration>:<target>:<via>`. */
  probes: z.record(z.string(), probeSlotSchema),
  /** Keyed by `<configuration>:<target>:<via>@<location>`, and `<target>@<location>` for names. */
  lastSeen: z.record(z.string(), lastSeenSchema).optional(),
});
export type MachineFacts = z.infer<typeof machineFactsSchema>;

export const evidenceSchema = z.looseObject({
  /** What convinced, in words with values, ready to show. */
  text: z.string().max(1024),
  at: instantSchema.nullable(),
  /** Key of the slot it came from, such as `probe:…`. */
  key: z.string().max(256).nullable(),
  value: z.string().max(1024).nullable(),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** What a pattern said when it last held: a raised finding keeps its evidence until three cycles clear it. */
export const matchSchema = z.looseObject({
  severity: severitySchema,
  confidence: confidenceSchema,
  explains: z.boolean(),
  cause: z.string().max(256),
  sentence: z.string().max(1024),
  evidence: z.array(evidenceSchema).max(16),
});
export type Match = z.infer<typeof matchSchema>;

/** How often a pattern held lately, so that one blip raises nothing (domain 5: 2 in a row or 3 of 5; clear after 3). */
export const persistenceSchema = z.looseObject({
  /** Newest last, at most five: whether it held in that cycle. */
  held: z.array(z.boolean()).max(5),
  raised: z.boolean(),
  since: instantSchema.nullable(),
  /** The newest match; absent when the pattern never held. */
  last: matchSchema.optional(),
});

export const findingSchema = z.looseObject({
  pattern: patternIdSchema,
  severity: severitySchema,
  confidence: confidenceSchema,
  /** The one finding that explains the machine best; at most three others contribute. */
  primary: z.boolean(),
  /** Whether it explains why EWS is bad on the configured route (rule 14). */
  explains: z.boolean(),
  /** Configurations on which it holds; empty for machine-wide ones. */
  configurations: z.array(configurationIdSchema).max(limits.configurations),
  users: z.number().int().min(0),
  since: instantSchema,
  evidence: z.array(evidenceSchema).max(16),
  /** The verdict sentence for this machine: cause, then counterfactual, then who can fix it. */
  sentence: z.string().max(1024),
  /** Short cause, for tables and titles: "px1.contoso.com asks for its own login". */
  cause: z.string().max(256),
});
export type Finding = z.infer<typeof findingSchema>;

export const diagnosisSchema = z.looseObject({
  status: machineStatusSchema,
  atRisk: z.boolean(),
  /** Why, in one sentence, also when healthy or when it cannot be told. */
  sentence: z.string().max(1024),
  findings: z.array(findingSchema).max(32),
  /** Per required group: ok, bad or unknown on the configured route. */
  groups: z
    .array(z.looseObject({ id: z.string().max(128), required: z.boolean(), state: z.enum(["ok", "bad", "unknown"]) }))
    .max(limits.groups),
});
export type Diagnosis = z.infer<typeof diagnosisSchema>;

/** Persistence per `<pattern>` or `<pattern>|<configuration>`. */
export const persistenceMapSchema = z.record(z.string(), persistenceSchema);
export type PersistenceMap = z.infer<typeof persistenceMapSchema>;

export const machineStateSchema = z.looseObject({
  facts: machineFactsSchema,
  persistence: persistenceMapSchema,
  diagnosis: diagnosisSchema,
  /** What its probes took in the hours that are not written down yet; absent before the first. */
  timings: timingsSchema.optional(),
});
export type MachineState = z.infer<typeof machineStateSchema>;
