import { z } from "zod";
import { machineIdSchema } from "./messages.ts";
import {
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
});
export type MachineFinding = z.infer<typeof machineFindingSchema>;

/** One open cause and its machines. Until attribution joins causes, an incident is a pattern with its shared cause text. */
export const incidentSchema = z.object({
  id: z.string(),
  pattern: patternIdSchema,
  severity: severitySchema,
  cause: z.string(),
  machines: z.number().int(),
  since: isoTimeSchema,
});
export type Incident = z.infer<typeof incidentSchema>;

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
    "agent",
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
