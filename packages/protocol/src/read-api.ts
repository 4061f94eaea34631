import * as z from "zod";
import { machineIdSchema } from "./messages.ts";
import {
  attributionKeySchema,
  confidenceSchema,
  locationSchema,
  machineStatusSchema,
  patternIdSchema,
  severitySchema,
  verdictSchema,
} from "./names.ts";
import { diagnosisSchema, findingSchema, machineFactsSchema } from "./state.ts";

/*
 * What `/api/v1`, the dashboard and the Grafana data source read. Times are ISO 8601 with zone at this border
 * (people and other tools read them); inside they are instants.
 */
export const isoTimeSchema = z.iso.datetime({ offset: true });

/** A row of the machines table. Everything here is a column or derived from one: no facts are opened for a list. */
export const machineRowSchema = z.object({
  id: machineIdSchema,
  hostname: z.string(),
  status: machineStatusSchema,
  atRisk: z.boolean(),
  /** When the present status began. */
  since: isoTimeSchema.nullable(),
  primary: z
    .object({ pattern: patternIdSchema, severity: severitySchema, confidence: confidenceSchema, cause: z.string() })
    .nullable(),
  patterns: z.array(patternIdSchema),
  site: z.string().nullable(),
  location: locationSchema,
  /** Configured route of EWS: `host:port`, `direct` or null when unknown. */
  route: z.string().nullable(),
  verdictConfigured: verdictSchema.nullable(),
  verdictDirect: verdictSchema.nullable(),
  /** Mini chains of EWS: one letter a step (dns tcp connect tls http auth): o ok, s slow, f failed, e failed as expected, n not reached, x not applicable. */
  chainConfigured: z.string().nullable(),
  chainDirect: z.string().nullable(),
  pacHash: z.string().nullable(),
  os: z.string(),
  osVersion: z.string(),
  agentVersion: z.string(),
  lastSeenAt: isoTimeSchema.nullable(),
  connected: z.boolean(),
  approved: z.boolean(),
  cloned: z.boolean(),
  simulated: z.boolean(),
  tags: z.array(z.string()),
  /*
   * Later additions, which answers that were kept may lack. Null: not observed.
   */
  /** When the settings last changed to those in force. */
  changedAt: isoTimeSchema.nullable().optional(),
  /** Of EWS on the configured route: rule that chose it, zone, issuer, server that answered, milliseconds. */
  chosenBy: z.string().nullable().optional(),
  zone: z.string().nullable().optional(),
  issuer: z.string().nullable().optional(),
  server: z.string().nullable().optional(),
  answerMs: z.number().nullable().optional(),
  resolver: z.string().nullable().optional(),
  subnet: z.string().nullable().optional(),
  /** WinHTTP's proxy for 64-bit programs, or "direct". */
  winhttp: z.string().nullable().optional(),
  clockSkewMs: z.number().nullable().optional(),
  failedTargets: z.array(z.string()).optional(),
});
export type MachineRow = z.infer<typeof machineRowSchema>;

export const machineSchema = machineRowSchema.extend({
  enrolledAt: isoTimeSchema,
  revokedAt: isoTimeSchema.nullable(),
  clockSkewMs: z.number().nullable(),
  /** Users per effective configuration, EWS configured verdict of each. */
  diagnosis: diagnosisSchema,
  facts: machineFactsSchema,
});
export type Machine = z.infer<typeof machineSchema>;

export const machineFindingSchema = findingSchema.omit({ since: true }).extend({
  machineId: machineIdSchema,
  hostname: z.string(),
  since: isoTimeSchema,
  clearedAt: isoTimeSchema.nullable(),
  /** When history was judged again and this finding was written or corrected; null for what the collector said itself. */
  rejudgedAt: isoTimeSchema.nullable().optional(),
});
export type MachineFinding = z.infer<typeof machineFindingSchema>;

export const timelineEntrySchema = z.object({
  id: z.string(),
  at: isoTimeSchema,
  kind: z.enum([
    "status",
    "finding-raised",
    "finding-cleared",
    "verdict",
    "settings",
    "script",
    "certificate",
    "dns",
    "agent",
    "system",
    "goodbye",
    "stale",
    "returned",
    "enrolled",
    "clone",
    "revoked",
    "policy",
    "outbox-dropped",
  ]),
  /** Ready to show: "EWS, configured: exchange-onprem → proxy-auth-required". */
  text: z.string(),
  detail: z.string().nullable(),
  severity: machineStatusSchema.nullable(),
  /** Arrived after an outage: completes history, changes no present state. */
  replayed: z.boolean(),
});
export type TimelineEntry = z.infer<typeof timelineEntrySchema>;

export const countsSchema = z.object({
  healthy: z.number().int(),
  failing: z.number().int(),
  stale: z.number().int(),
  cannotTell: z.number().int(),
  /** Beside the four, in none of them. */
  signedOff: z.number().int(),
  /** Healthy machines that carry a finding. */
  atRisk: z.number().int(),
});
export type Counts = z.infer<typeof countsSchema>;

export const pageSchema = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    /** Opaque; null at the end. */
    nextCursor: z.string().nullable(),
    total: z.number().int(),
    /** One snapshot for all figures of the answer. */
    asOf: isoTimeSchema,
  });

/** A machine as a list of examples names it. */
export const machineRefSchema = z.object({ id: machineIdSchema, hostname: z.string() });
export type MachineRef = z.infer<typeof machineRefSchema>;

/** Kinds of the timeline that say that something changed: the answer to "what changed?". */
export const changeKinds = ["settings", "script", "certificate", "dns", "agent", "system", "policy"] as const;
export const changeKindSchema = z.enum(changeKinds);
export type ChangeKind = (typeof changeKinds)[number];

/** The same change on one or many machines, as one event. One that comes again a day after its last is an event of its own. */
export const fleetChangeSchema = z.object({
  id: z.uuid(),
  kind: changeKindSchema,
  /** What joins it over machines. */
  changeKey: z.string(),
  /** Ready to show: "Script content 9f3c1e → 41ab07". */
  text: z.string(),
  detail: z.string().nullable(),
  /** Simulated machines' changes are events of their own. */
  simulated: z.boolean(),
  /** When the first and the last machine took it. */
  firstAt: isoTimeSchema,
  lastAt: isoTimeSchema,
  machines: z.number().int(),
  /** Up to ten of them, those that took it first. */
  sample: z.array(machineRefSchema),
});
export type FleetChange = z.infer<typeof fleetChangeSchema>;

/** A machine that took a change, and when. */
export const changeMachineSchema = machineRefSchema.extend({
  at: isoTimeSchema,
  site: z.string().nullable(),
  status: machineStatusSchema,
});
export type ChangeMachine = z.infer<typeof changeMachineSchema>;

const comparedSchema = z.object({
  failingWith: z.number().int(),
  failingWithout: z.number().int(),
  /** Of these the value is not known. */
  failingUnknown: z.number().int(),
  healthyWith: z.number().int(),
  healthyWithout: z.number().int(),
  healthyUnknown: z.number().int(),
  /** Natural logarithm of Fisher's exact p, one-sided; 0 where it does not separate. */
  logP: z.number(),
});
const sharedValueSchema = z.object({ key: attributionKeySchema, value: z.string() });

/** A value and how it separates the failing machines from the healthy ones: the bars of an incident. */
export const causeCandidateSchema = sharedValueSchema.extend(comparedSchema.shape);
export type CauseCandidate = z.infer<typeof causeCandidateSchema>;

/** A shared value that separates the failing machines of one location from its healthy ones. */
export const causeSchema = causeCandidateSchema.extend({
  id: z.uuid(),
  simulated: z.boolean(),
  location: locationSchema,
  /** Ready to show: "Proxy script 41ab07 explains 347 of the 351 failing machines". */
  text: z.string(),
  /** "Explains 347 of 351": failing machines that share the value, of all failing ones of the location. */
  explains: z.number().int(),
  of: z.number().int(),
  confidence: confidenceSchema,
  /** When the first of its machines began to fail. */
  firstSeen: isoTimeSchema.nullable(),
  /** When it was first named, when its figures were last written, and when it ceased to hold. */
  since: isoTimeSchema,
  updatedAt: isoTimeSchema,
  clearedAt: isoTimeSchema.nullable(),
  /** The change nearest before the first failure; `id` is its event's, where there is one. */
  change: z
    .object({
      id: z.uuid().nullable(),
      at: isoTimeSchema,
      changeKey: z.string(),
      text: z.string(),
      /** `value`: it set the cause's own value. `machines`: most of the cause's machines took it, and few healthy ones. */
      by: z.enum(["value", "machines"]),
      seenOn: z.number().int(),
    })
    .nullable(),
  /** Values that hold for the same machines and are less specific: "also: site Bern". */
  also: z.array(sharedValueSchema),
  /** Up to twenty of each; their numbers are `failingWithout` and `healthyWith`. */
  counterExamples: z.object({ failing: z.array(machineRefSchema), healthy: z.array(machineRefSchema) }),
});
export type Cause = z.infer<typeof causeSchema>;

/** A machine that a cause explains, or explained. */
export const causeMemberSchema = machineRefSchema.extend({
  site: z.string().nullable(),
  status: machineStatusSchema,
  /** Since when, and until when, the cause explained it. */
  since: isoTimeSchema,
  until: isoTimeSchema.nullable(),
});
export type CauseMember = z.infer<typeof causeMemberSchema>;

/** What is said about the failing machines of one location, of the real or of the simulated ones. */
export const attributionSchema = z.object({
  simulated: z.boolean(),
  location: locationSchema,
  at: isoTimeSchema,
  failing: z.number().int(),
  healthy: z.number().int(),
  /** Neither: cannot tell. */
  undecided: z.number().int(),
  /** Why no cause is named; null where there is one. */
  noCause: z.enum(["nothing-failing", "no-control-group", "too-few", "nothing-separates"]).nullable(),
  /** Failing machines that no cause explains: how many, and up to twenty of them. */
  unexplained: z.number().int(),
  unexplainedSample: z.array(machineRefSchema),
  /** Open ones, strongest first. */
  causes: z.array(causeSchema),
  /** The best value of each key, whether named as a cause or not, strongest first. */
  candidates: z.array(causeCandidateSchema),
});
export type Attribution = z.infer<typeof attributionSchema>;

/** Every error of the API has this shape. */
export const apiErrorSchema = z.object({
  error: z.object({
    code: z.string(),
    /** The value, the rule, an example. */
    message: z.string(),
    requestId: z.string(),
  }),
});
export type ApiError = z.infer<typeof apiErrorSchema>;
