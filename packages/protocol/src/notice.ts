import * as z from "zod";
import { confidenceSchema, patternIdSchema, severitySchema } from "./names.ts";
import { isoTimeSchema } from "./read-api.ts";

/*
 * What is told to a receiver, whatever the receiver is: `packages/incidents` decides that it is told, the collector
 * stores it, `packages/notify` puts it into the receiver's own form. Texts are ready to show and already safe
 * (`present.ts`): a receiver escapes for its own format and adds nothing.
 */

/** How loud an incident is: `high` may wake somebody, `low` waits for the morning. */
export const urgencies = ["high", "low"] as const;
export const urgencySchema = z.enum(urgencies);
export type Urgency = z.infer<typeof urgencySchema>;

export const incidentStates = ["open", "acknowledged", "flapping", "resolved", "merged"] as const;
export const incidentStateSchema = z.enum(incidentStates);
/** `flapping` is open and comes and goes; `merged` goes on in another incident. */
export type IncidentState = z.infer<typeof incidentStateSchema>;

/** An incident as a message shows it. */
export const noticeIncidentSchema = z.object({
  /** "1182", as people say it. */
  number: z.int().positive(),
  /** The cause: "px1.contoso.com asks for its own login". */
  title: z.string(),
  /** "px1.contoso.com explains 347 of 351 failing machines. 0 of 9,812 healthy share it. 4 do not fit." */
  sentence: z.string(),
  /** Null: no known pattern explains it. */
  pattern: patternIdSchema.nullable(),
  severity: severitySchema,
  urgency: urgencySchema,
  confidence: confidenceSchema,
  state: incidentStateSchema,
  /** When the first of its machines began to fail, and when it was resolved. */
  since: isoTimeSchema,
  resolvedAt: isoTimeSchema.nullable(),
  acknowledgedBy: z.string().nullable(),
  /** Machines in it now, at most so far, and where: worst site first. `of`: the site's reporting machines. */
  machines: z.int().min(0),
  peak: z.int().min(0),
  sites: z.array(z.object({ site: z.string(), machines: z.int(), of: z.int() })),
  /** In one line: "CONNECT to px1.contoso.com:8080: 407, Basic only; direct, 401 from EX03". */
  evidence: z.string(),
  /** The first thing to do, and who does it. */
  firstStep: z.string(),
  whoFixes: z.string(),
  /** KB or standard, where there is one. */
  reference: z.string().nullable(),
  /** Simulated machines: said in every message. */
  simulated: z.boolean(),
  url: z.url(),
});
export type NoticeIncident = z.infer<typeof noticeIncidentSchema>;

export const noticeKinds = [
  /** An incident opened, came out of a silence or a maintenance window, or rose to `high`. */
  "opened",
  /** It has many more machines than when it was last told of. */
  "grew",
  /** Nobody acknowledged it, or it still holds after the repeat interval. */
  "reminder",
  /** The step before did not answer in time. */
  "escalated",
  "acknowledged",
  "flapping",
  "resolved",
  /** Several incidents in one message: a group, or what was over the receiver's cap. */
  "digest",
  /** Proxy settings, a script or a certificate changed on many machines (PagerDuty change events). */
  "change",
  /** Another receiver could not be reached for good. */
  "undelivered",
  /** Somebody tries the receiver. */
  "test",
] as const;
export const noticeKindSchema = z.enum(noticeKinds);
export type NoticeKind = z.infer<typeof noticeKindSchema>;

export const noticeSchema = z.object({
  kind: noticeKindSchema,
  /** The same for every try of one delivery: what a receiver drops duplicates by. */
  key: z.string().min(1).max(200),
  /** The same for all notices of one incident to one receiver: PagerDuty's dedup_key, a mail thread. */
  thread: z.string().min(1).max(200),
  at: isoTimeSchema,
  /** At most 110 characters, for a push notice or a subject: "347 machines: px1.contoso.com asks for its own login". */
  headline: z.string(),
  /** Why it was sent now, ready to show: "unacknowledged for 20 min". */
  reason: z.string(),
  /** Null for `change`, `undelivered` and `test`; of a digest the worst one. */
  incident: noticeIncidentSchema.nullable(),
  /** Of a digest, the worst first. */
  incidents: z.array(noticeIncidentSchema),
  /** Of `change`: "Proxy script 9f3c1e → 41ab07", seen on so many machines. */
  change: z
    .object({ text: z.string(), detail: z.string().nullable(), machines: z.int(), at: isoTimeSchema, url: z.url() })
    .nullable(),
  /** Opens the page on which one acknowledges without signing in; only for a person who is on call. */
  acknowledgeUrl: z.url().nullable(),
});
export type Notice = z.infer<typeof noticeSchema>;
