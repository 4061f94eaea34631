import * as z from "zod";
import { alertingConfigSchema } from "./alerting.ts";
import { machineIdSchema } from "./messages.ts";
import { confidenceSchema, locationSchema, machineStatusSchema, patternIdSchema, severitySchema } from "./names.ts";
import { incidentStateSchema, noticeKindSchema, urgencySchema } from "./notice.ts";
import { isoTimeSchema } from "./read-api.ts";

/* What `/api/v1` and the dashboard read of incidents, of what was told, and of who is told (docs/alerting.md). */

export const incidentKinds = ["failing", "silent"] as const;

/** One cause, with its machines. Figures are those of the machines that the reader may see. */
export const incidentSchema = z.object({
  /** "1182", as people say it. */
  number: z.int().positive(),
  /** `silent`: a site that was lost sight of; its machines are silent, not failing. */
  kind: z.enum(incidentKinds),
  state: incidentStateSchema,
  simulated: z.boolean(),
  location: locationSchema,
  /** Null: no known pattern explains it. */
  pattern: patternIdSchema.nullable(),
  severity: severitySchema,
  confidence: confidenceSchema,
  urgency: urgencySchema,
  /** "px1.contoso.com asks for its own login". */
  title: z.string(),
  /** What attribution says, with its figures; null without a shared cause, and for who sees a part of the fleet. */
  explanation: z.string().nullable(),
  /** The shared cause (`/causes/:id`) that explains it now. */
  causeId: z.uuid().nullable(),
  /** From a member's finding, in one line. */
  evidence: z.string().nullable(),
  /** When the first of its machines began to fail; when it opened; when it ended. */
  since: isoTimeSchema,
  openedAt: isoTimeSchema,
  endedAt: isoTimeSchema.nullable(),
  ended: z
    .object({
      how: z.enum(["resolved", "not-verified", "closed", "merged"]),
      by: z.string().nullable(),
      note: z.string(),
      into: z.int().nullable(),
    })
    .nullable(),
  acknowledged: z.object({ by: z.string(), at: isoTimeSchema, via: z.string() }).nullable(),
  splitFrom: z.int().nullable(),
  /** Members that fail, and that fell silent before they were seen well again. */
  failing: z.int(),
  silent: z.int(),
  /** Most members at once; null for who sees a part of the fleet. */
  peak: z.int().nullable(),
  sites: z.array(z.object({ site: z.string().nullable(), machines: z.int(), of: z.int().nullable() })),
});
export type Incident = z.infer<typeof incidentSchema>;

/** A machine of an incident. `verified`: seen well again; `silent`: not heard of since, so nothing is verified. */
export const incidentMemberSchema = z.object({
  id: machineIdSchema,
  hostname: z.string(),
  site: z.string().nullable(),
  status: machineStatusSchema,
  state: z.enum(["failing", "silent", "verified"]),
  joinedAt: isoTimeSchema,
  leftAt: isoTimeSchema.nullable(),
  chainConfigured: z.string().nullable(),
  chainDirect: z.string().nullable(),
});
export type IncidentMember = z.infer<typeof incidentMemberSchema>;

/** An entry of an incident's timeline. */
export const incidentEventSchema = z.object({
  id: z.string(),
  at: isoTimeSchema,
  kind: z.string(),
  /** Why, as docs/alerting.md explains it; null where it happened and nobody decided. */
  reason: z.string().nullable(),
  /** Ready to show. */
  text: z.string(),
  /** Who did it, where a person did. */
  actor: z.string().nullable(),
  /** What became of the notice, where it tells of one. */
  notice: z
    .object({
      id: z.string(),
      state: z.string(),
      attempts: z.int(),
      receiver: z.string(),
      error: z.string().nullable(),
    })
    .nullable(),
});
export type IncidentEvent = z.infer<typeof incidentEventSchema>;

/** What `/events` sends as `event: incident`, under the id of the timeline's entry. */
export const incidentChangeSchema = z.object({
  event: incidentEventSchema,
  /** As it is when this is sent, which may be later than the event. */
  incident: incidentSchema,
});
export type IncidentChange = z.infer<typeof incidentChangeSchema>;

export const noticeStates = ["queued", "sending", "sent", "failed", "dead"] as const;
export const noticeStateSchema = z.enum(noticeStates);
/** `failed`: it is tried again; `dead`: given up, or refused for good. */
export type NoticeState = z.infer<typeof noticeStateSchema>;

/** A notice and what became of it. */
export const noticeRowSchema = z.object({
  id: z.string(),
  key: z.string(),
  incident: z.int().nullable(),
  receiver: z.string(),
  person: z.string().nullable(),
  kind: noticeKindSchema,
  reason: z.string(),
  urgency: urgencySchema,
  headline: z.string(),
  state: noticeStateSchema,
  attempts: z.int(),
  createdAt: isoTimeSchema,
  sentAt: isoTimeSchema.nullable(),
  /** When it is tried next; null where it is not. */
  nextAt: isoTimeSchema.nullable(),
  /** What the receiver answered at last. */
  detail: z.string().nullable(),
});
export type NoticeRow = z.infer<typeof noticeRowSchema>;

/** Nobody is told of the machines that it matches. */
export const silenceSchema = z.object({
  id: z.uuid(),
  match: z.string(),
  author: z.string(),
  comment: z.string(),
  createdAt: isoTimeSchema,
  startsAt: isoTimeSchema,
  endsAt: isoTimeSchema,
  /** Who ended it before its time. */
  endedBy: z.string().nullable(),
  state: z.enum(["pending", "active", "over"]),
  /** The part of the fleet that its author saw: it covers nothing else. */
  scope: z.object({ sites: z.array(z.string()).nullable(), tags: z.array(z.string()).nullable() }),
});
export type SilenceRow = z.infer<typeof silenceSchema>;

export const newSilenceSchema = z.strictObject({
  match: z.string().max(512),
  comment: z.string().trim().max(500).default(""),
  /** Now, when absent. */
  startsAt: isoTimeSchema.optional(),
  endsAt: isoTimeSchema,
});
export type NewSilence = z.infer<typeof newSilenceSchema>;

/** What a matcher matches at this moment. */
export const silencePreviewSchema = z.object({
  machines: z.int(),
  failing: z.int(),
  sample: z.array(z.object({ id: machineIdSchema, hostname: z.string(), site: z.string().nullable() })),
  /** Open incidents that have such machines: how many of each, and of how many. */
  incidents: z.array(z.object({ number: z.int(), title: z.string(), machines: z.int(), of: z.int() })),
});
export type SilencePreview = z.infer<typeof silencePreviewSchema>;

/** The alerting configuration in force. Version 0: nobody saved one yet. */
export const storedAlertingSchema = z.object({
  version: z.int().min(0),
  createdAt: isoTimeSchema.nullable(),
  createdBy: z.string().nullable(),
  note: z.string(),
  config: alertingConfigSchema,
  /** Names of the secrets that are set, by receiver. */
  secrets: z.record(z.string(), z.array(z.string())),
});
export type StoredAlerting = z.infer<typeof storedAlertingSchema>;

/** Something that is wrong with a configuration, and where. */
export const alertingProblemSchema = z.object({ path: z.string(), message: z.string() });

/** "Who would be paged if …?" */
export const simulationInputSchema = z.strictObject({
  pattern: patternIdSchema,
  severity: severitySchema.default("prompting"),
  cause: z.string().max(256).default("a cause that is supposed"),
  machines: z.int().min(1).max(100_000).default(10),
  site: z.string().max(200).nullable().default(null),
  tags: z.array(z.string().max(64)).max(32).default([]),
  location: locationSchema.default("inside"),
  simulated: z.boolean().default(false),
  target: z.string().max(128).nullable().default(null),
  /** `host:port` or `direct`. */
  route: z.string().max(300).nullable().default(null),
  /** Now, when absent. */
  at: isoTimeSchema.optional(),
  minutes: z.int().min(1).max(720).default(120),
  /** Instead of the configuration in force: what would be if this were saved. */
  config: z.unknown().optional(),
});
export type SimulationInput = z.infer<typeof simulationInputSchema>;

export const simulationSchema = z.object({
  urgency: urgencySchema,
  steps: z.array(
    z.object({
      at: isoTimeSchema,
      kind: z.enum(["opened", "told", "held"]),
      reason: z.string().nullable(),
      text: z.string(),
      receiver: z.string().nullable(),
      person: z.string().nullable(),
    }),
  ),
});
export type Simulation = z.infer<typeof simulationSchema>;

/** Who is on call, and the gaps. */
export const onCallSchema = z.object({
  items: z.array(
    z.object({
      schedule: z.string(),
      name: z.string(),
      zone: z.string(),
      now: z.object({ person: z.string().nullable(), name: z.string().nullable(), until: isoTimeSchema }),
      shifts: z.array(
        z.object({
          from: isoTimeSchema,
          to: isoTimeSchema,
          person: z.string().nullable(),
          name: z.string().nullable(),
          by: z.enum(["override", "layer", "gap"]),
        }),
      ),
    }),
  ),
});
export type OnCall = z.infer<typeof onCallSchema>;
